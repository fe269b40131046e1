/** S-125. */
const SCOPE = "knative.dev/serving/pkg/autoscaler";

/** One number of one thing. Names are OpenTelemetry's, with dots. */
export interface Sample {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts by upper bound. */
export interface HistogramSample {
  /** Seconds. */
  readonly bounds: readonly number[];
  /** One more than bounds: the last is above all of them. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/**
 * Gauges as Prometheus reads them, named as an OpenTelemetry exporter names them: dots become underscores, the scope
 * is a label. S-125, S-126.
 */
export function gaugesText(samples: readonly Sample[]): string {
  const byName = new Map<string, Sample[]>();
  for (const sample of samples) {
    const same = byName.get(sample.name);
    if (same === undefined) byName.set(sample.name, [sample]);
    else same.push(sample);
  }
  let text = "";
  for (const [name, same] of byName) {
    text += `# TYPE ${plain(name)} gauge\n`;
    for (const { attributes, value } of same) text += `${plain(name)}${labelsText(attributes)} ${value}\n`;
  }
  return text;
}

/** S-128. */
export function histogramText(name: string, { bounds, counts, sum }: HistogramSample): string {
  const base = `${plain(name)}_seconds`;
  let text = `# TYPE ${base} histogram\n`;
  let total = 0;
  for (const [index, count] of counts.entries()) {
    total += count;
    const le = bounds[index] === undefined ? "+Inf" : String(bounds[index]);
    text += `${base}_bucket${labelsText({ le })} ${total}\n`;
  }
  return `${text}${base}_sum${labelsText({})} ${sum}\n${base}_count${labelsText({})} ${total}\n`;
}

function plain(name: string): string {
  return name.replaceAll(".", "_");
}

function labelsText(attributes: Readonly<Record<string, string>>): string {
  const labels = Object.entries({ ...attributes, "otel.scope.name": SCOPE }).map(
    ([name, value]) => `${plain(name)}="${escaped(value)}"`,
  );
  return `{${labels.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
