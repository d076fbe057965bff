"""The independent checker: recomputes from topics alone that every offset is accounted for and every finding stands.

It shares no code with the workers: records are read and taken apart here anew, from the description of the topics, and the
judge is asked as an outside process. A mistake in the workers' accounting is therefore not repeated here.
"""
