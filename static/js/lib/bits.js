// How widely a row of weights is spread.

/** Bits of a row of weights: -Σ w log₂ w, as analysis/profile.py has it. */
export const bitsOf = (row) => row.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log2(weight) : sum), 0);
