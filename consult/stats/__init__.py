"""What numbers can and cannot say: intervals, paired tests, classification, calibration, repeatability. See docs/statistics.md.

Pure functions on plain sequences; scipy and statsmodels are imported where they are used, because they are slow to load.
Must not import anything of consult but `seeds`.
"""
