import { type FieldError, fieldErrors, type TrafficTarget } from "@rouse/shared";
import { DNS_LABEL, dnsLabelText } from "./validate-name.ts";

/** Traffic of a Service or Route; paths are relative to it (`[0].percent`, `""` for all of it). §14.4 */
export function validateTraffic(
  traffic: readonly TrafficTarget[],
  of: "service" | "route",
): readonly FieldError[] {
  const total = traffic.reduce((sum, target) => sum + (target.percent ?? 0), 0);
  return [
    ...traffic.flatMap((target, index) => validateTarget(target, `[${index}]`, of)),
    ...validateTags(traffic),
    ...(total === 100 ? [] : [fieldErrors.text(`Traffic targets sum to ${total}, want 100`, "")]),
  ];
}

function validateTarget(target: TrafficTarget, at: string, of: "service" | "route"): readonly FieldError[] {
  const { percent = 0, tag, revisionName, configurationName, latestRevision, url } = target;
  const errors: FieldError[] = [];
  if (percent < 0 || percent > 100) errors.push(fieldErrors.range(percent, [0, 100], `${at}.percent`));
  if (tag && !DNS_LABEL.test(tag)) {
    errors.push({ ...fieldErrors.invalid(tag, `${at}.tag`), details: dnsLabelText });
  }
  if (of === "service") {
    if (configurationName) errors.push(fieldErrors.disallowed(`${at}.configurationName`));
  } else if (revisionName && configurationName) {
    errors.push(fieldErrors.both(`${at}.configurationName`, `${at}.revisionName`));
  } else if (!revisionName && !configurationName) {
    errors.push(fieldErrors.neither(`${at}.configurationName`, `${at}.revisionName`));
  }
  if (latestRevision === true && revisionName) {
    errors.push(
      fieldErrors.text("may not set revisionName when latestRevision is true", `${at}.latestRevision`),
    );
  } else if (latestRevision === false && !revisionName) {
    errors.push(
      fieldErrors.text("may not set latestRevision to false without revisionName", `${at}.latestRevision`),
    );
  }
  if (url) errors.push(fieldErrors.disallowed(`${at}.url`));
  return errors;
}

function validateTags(traffic: readonly TrafficTarget[]): readonly FieldError[] {
  const first = new Map<string, number>();
  return traffic.flatMap(({ tag }, index) => {
    if (!tag) return [];
    const earlier = first.get(tag);
    if (earlier === undefined) {
      first.set(tag, index);
      return [];
    }
    return [
      fieldErrors.text(
        `Multiple definitions for ${JSON.stringify(tag)}`,
        `[${earlier}].tag`,
        `[${index}].tag`,
      ),
    ];
  });
}
