"""The StressIndex: pure functions from stored observations to an index, its parts and its words.

No file in here touches the network, the clock or the store, and none imports pandas.
"""
