"""What is tested: transports, the catalogue of known emulators, their processes, what they claim and have."""
