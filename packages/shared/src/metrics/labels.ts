/** Attributes in the names of OpenTelemetry, in order. */
export type Labels = readonly (readonly [name: string, value: string | number | boolean])[];

/** As Prometheus writes them: `a_b="c",d="e"`. */
export function labelText(labels: Labels): string {
  return labels.map(([name, value]) => `${labelName(name)}="${escaped(String(value))}"`).join(",");
}

/** Dots and all else that is not allowed become underscores. */
export function labelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, "_");
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}
