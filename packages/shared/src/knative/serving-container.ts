/** Which of a pod's containers requests go to: the only one, else the first with ports; -1 if that cannot be told. C-39 */
export function servingIndex(containers: readonly { readonly ports?: readonly unknown[] }[]): number {
  if (containers.length === 1) return 0;
  return containers.findIndex(({ ports = [] }) => ports.length > 0);
}

/** The same where a spec has been let in already: the first where it cannot be told. */
export function servingIndexOrFirst(containers: Parameters<typeof servingIndex>[0]): number {
  return Math.max(0, servingIndex(containers));
}
