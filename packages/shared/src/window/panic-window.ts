/**
 * Length of the panic window: a percentage of the stable one, to the nearest second, half away from zero, at least
 * one second. S-56, V-39.
 */
export function panicWindowSeconds(stableWindowMs: number, panicWindowPercentage: number): number {
  return Math.max(1, Math.round((stableWindowMs * panicWindowPercentage) / 100 / 1_000));
}
