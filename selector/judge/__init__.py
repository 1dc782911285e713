"""The judge: common splits, statistics, racing and the verdict.

Statistics are computed with SciPy, which is imported when first needed.
"""
