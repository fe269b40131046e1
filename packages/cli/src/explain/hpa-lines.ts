import { findCondition, type HorizontalPodAutoscaler, type HpaMetric } from "@rouse/shared";

/** What an HPA says of its revision: pods, bounds, what it measured beside what it aims at, and what held it. */
export function hpaLines({ spec, status }: HorizontalPodAutoscaler): readonly string[] {
  const { minReplicas = 1, maxReplicas, metrics = [] } = spec;
  const conditions = ["ScalingActive", "AbleToScale", "ScalingLimited"].map((type) =>
    findCondition(status?.conditions, type),
  );
  const [active, able, limited] = conditions;
  const because = [active, able, limited?.status === "True" ? limited : undefined].flatMap(
    (condition) => condition?.message ?? [],
  );
  return [
    `now       pods: ${status?.currentReplicas ?? 0}; its HPA wants ${status?.desiredReplicas ?? "nothing yet"} (${minReplicas} to ${maxReplicas})`,
    "not zero  revisions of the class hpa.autoscaling.knative.dev do not go to zero",
    ...metrics.map((metric) => `metric    ${metricInWords(metric, status)}`),
    ...(because.length === 0 ? [] : [`because   ${because.join("; ")}`]),
  ];
}

function metricInWords(metric: HpaMetric, status: HorizontalPodAutoscaler["status"]): string {
  if (metric.type === "Pods")
    return `${metric.pods.metric.name}: ${metric.pods.target.averageValue} aimed at`;
  const { name, target } = metric.resource;
  const current = status?.currentMetrics?.find(({ resource }) => resource.name === name)?.resource.current;
  const [is, wanted] =
    target.averageUtilization === undefined
      ? [current?.averageValue, target.averageValue]
      : [percent(current?.averageUtilization), `${target.averageUtilization} % of its request`];
  return `${name}: ${is ?? "not measured yet"}, ${wanted} aimed at, as an average of its pods`;
}

function percent(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value} %`;
}
