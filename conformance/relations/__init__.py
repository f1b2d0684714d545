"""What a target's own answers must have to do with each other: judged without any model of what they should be."""
