"""Does a target behave as the reference does?"""
