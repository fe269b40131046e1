/** This activator among those that serve a revision, by sorted IP. `unknown`: not listed, or not yet. */
export type ActivatorPlace =
  | { readonly kind: "unknown" }
  | { readonly kind: "known"; readonly index: number; readonly of: number };

/**
 * The pods of the sorted list that are this activator's. All activators must compute the same, so it is part of the
 * wire contract: equal runs in order, what is left over goes one each to the first ones; more activators
 * than pods share pods, one each.
 */
export function shareOf<T>(pods: readonly T[], place: ActivatorPlace): readonly T[] {
  if (place.kind === "unknown" || place.of <= 1 || pods.length <= 1) return pods;
  const { index, of } = place;
  if (of > pods.length) return pods.slice(index % pods.length, (index % pods.length) + 1);
  const size = Math.floor(pods.length / of);
  const left = pods.length % of;
  const own = pods.slice(index * size, index * size + size);
  return index < left
    ? [...own, ...pods.slice(pods.length - left + index, pods.length - left + index + 1)]
    : own;
}
