/** Which of a pod's containers requests go to: the only one, else the first with ports; -1 if that cannot be told. C-39 */
export function servingIndex(containers: readonly { readonly ports?: readonly unknown[] }[]): number {
  if (containers.length === 1) return 0;
  return containers.findIndex(({ ports = [] }) => ports.length > 0);
}
