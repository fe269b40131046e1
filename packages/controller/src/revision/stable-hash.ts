const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A short name for a JSON value: equal for values that are equal, whatever the order of their members. FNV-1a 32. */
export function stableHash(value: unknown): string {
  const text = canonicalJson(value);
  let hash = FNV_OFFSET;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return (hash >>> 0).toString(36);
}

/** JSON with sorted members and without absent ones. Built by hand: this runs in every pass of every revision. */
function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  let text = "{";
  for (const [key, member] of Object.entries(value).sort(byKey)) {
    if (member !== undefined) text += `${JSON.stringify(key)}:${canonicalJson(member)},`;
  }
  return `${text}}`;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
