/** What sources say they export: names with the dots of OpenTelemetry as underscores, `${…}` as any one word. */
export class ExportedMetrics {
  readonly #patterns: readonly RegExp[];

  constructor(sources: readonly { readonly text: string }[]) {
    const names = new Set<string>();
    for (const { text } of sources) {
      for (const { 1: name = "" } of text.matchAll(
        /["'`](?:# TYPE )?((?:kn|rouse|http|process)[._][\w.${}]+)/g,
      )) {
        names.add(name.replace(/\$\{[^}]*\}/g, "*").replaceAll(".", "_"));
      }
      for (const { 1: name = "" } of text.matchAll(/# TYPE (\w+) /g)) names.add(name);
    }
    // The unit, and the three series of a histogram, come after the name.
    const end = "(?:_seconds|_bytes|_total)?(?:_bucket|_sum|_count)?";
    this.#patterns = [...names].map((name) => new RegExp(`^${name.replaceAll("*", "[a-z]+")}${end}$`));
  }

  has(metric: string): boolean {
    return this.#patterns.some((pattern) => pattern.test(metric));
  }
}
