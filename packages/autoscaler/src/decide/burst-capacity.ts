import { UNLIMITED_BURST } from "../config/autoscaler-config.ts";
import type { DeciderSpec } from "./decider-spec.ts";

const ACTIVATORS_MIN = 2;

type BurstSpec = Pick<DeciderSpec, "totalValue" | "targetBurstCapacity">;

/**
 * Excess burst capacity: what the ready pods could take beyond the present load and the burst aimed for. Negative
 * puts the activator in the path. S-87, V-29.
 */
export function excessBurstCapacity(spec: BurstSpec, readyPods: number, load: number): number {
  if (spec.targetBurstCapacity === 0) return 0;
  if (spec.targetBurstCapacity === UNLIMITED_BURST) return UNLIMITED_BURST;
  return Math.floor(readyPods * spec.totalValue - spec.targetBurstCapacity - load);
}

/** Before the first evaluation, from the pods a revision starts with. S-75, V-28. */
export function initialExcessBurstCapacity(spec: BurstSpec & Pick<DeciderSpec, "initialScale">): number {
  if (spec.targetBurstCapacity === 0) return 0;
  if (spec.targetBurstCapacity === UNLIMITED_BURST) return UNLIMITED_BURST;
  return Math.trunc(spec.initialScale * spec.totalValue - spec.targetBurstCapacity);
}

/** Whether the activator's place changes: 0 counts as not negative. S-89, V-30. */
export function isSameBurstSign(a: number, b: number): boolean {
  return a < 0 === b < 0;
}

/** How many activators share a revision in proxy mode. S-100, V-41. */
export function activatorCount(spec: BurstSpec, readyPods: number, activatorCapacity: number): number {
  if (spec.targetBurstCapacity === 0) return ACTIVATORS_MIN;
  const load = readyPods * spec.totalValue + Math.max(spec.targetBurstCapacity, 0);
  return Math.max(ACTIVATORS_MIN, Math.ceil(load / activatorCapacity));
}
