import { parser } from "@prometheus-io/lezer-promql";

/** What a query names, and where it is no PromQL. */
export interface QueryNames {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
  /** Offsets of what the grammar has no place for. */
  readonly errorsAt: readonly number[];
}

/** Reads a query with Prometheus' own grammar. Grafana's `$__rate_interval` counts as a duration. */
export function readQuery(query: string): QueryNames {
  const text = query.replaceAll("$__rate_interval", "5m");
  const [metrics, labels, errorsAt] = [new Set<string>(), new Set<string>(), new Set<number>()];
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      const word = text.slice(from, to);
      if (type.isError) errorsAt.add(from);
      if (type.name === "Identifier" && node.parent?.name === "VectorSelector") metrics.add(word);
      if (type.name === "LabelName") labels.add(word);
    },
  });
  return { metrics: [...metrics], labels: [...labels], errorsAt: [...errorsAt] };
}
