import { type AnyObject, type FieldError, fieldErrors, under } from "@rouse/shared";

/** A KIngress as its schema let it through: any member may be missing. C-101 */
interface GivenSpec {
  readonly rules?: readonly GivenRule[];
  readonly tls?: readonly { readonly secretName?: string; readonly secretNamespace?: string }[];
  readonly httpOption?: string;
}
interface GivenRule {
  readonly visibility?: string;
  readonly http?: { readonly paths?: readonly GivenPath[] };
}
interface GivenPath {
  readonly splits?: readonly GivenSplit[];
}
interface GivenSplit {
  readonly serviceNamespace?: string;
  readonly serviceName?: string;
  readonly servicePort?: string | number;
  readonly percent?: number;
}

const HTTP_OPTIONS: readonly string[] = ["", "Enabled", "Redirected"];

/** A KIngress whose rules say whom they are for, and whose lone splits say that they are all there is. C-102 */
export function defaultIngress<T extends AnyObject>(object: T): T {
  const spec = specOf(object);
  if (spec.rules === undefined) return object;
  const rules = spec.rules.map((rule) => ({
    ...rule,
    visibility: rule.visibility || "ExternalIP",
    ...(rule.http?.paths === undefined
      ? {}
      : { http: { ...rule.http, paths: rule.http.paths.map(defaultPath) } }),
  }));
  return { ...object, spec: { ...spec, rules } };
}

/** What is wrong with a defaulted KIngress. C-102 */
export function validateIngress(object: AnyObject): readonly FieldError[] {
  const { rules = [], tls = [], httpOption = "" } = specOf(object);
  const { namespace = "" } = object.metadata;
  return under("spec", [
    ...(rules.length === 0 ? [fieldErrors.missing("rules")] : []),
    ...rules.flatMap((rule, index) => under(`rules[${index}]`, validateRule(rule, namespace))),
    ...tls.flatMap(({ secretName, secretNamespace }, index) =>
      under(`tls[${index}]`, [
        ...(secretName ? [] : [fieldErrors.missing("secretName")]),
        ...(secretNamespace ? [] : [fieldErrors.missing("secretNamespace")]),
      ]),
    ),
    ...(HTTP_OPTIONS.includes(httpOption) ? [] : [fieldErrors.invalid(httpOption, "httpOption")]),
  ]);
}

function defaultPath(path: GivenPath): GivenPath {
  const [lone, ...others] = path.splits ?? [];
  if (lone === undefined || others.length > 0 || (lone.percent ?? 0) !== 0) return path;
  return { ...path, splits: [{ ...lone, percent: 100 }] };
}

function validateRule({ http }: GivenRule, namespace: string): readonly FieldError[] {
  if (http === undefined) return [fieldErrors.missing("http")];
  const { paths = [] } = http;
  if (paths.length === 0) return [fieldErrors.missing("http.paths")];
  return paths.flatMap(({ splits = [] }, index) =>
    under(`http.paths[${index}]`, validateSplits(splits, namespace)),
  );
}

function validateSplits(splits: readonly GivenSplit[], namespace: string): readonly FieldError[] {
  if (splits.length === 0) return [fieldErrors.missing("splits")];
  const total = splits.reduce((sum, { percent = 0 }) => sum + percent, 0);
  return [
    ...splits.flatMap((split, index) => under(`splits[${index}]`, validateSplit(split, namespace))),
    ...(total === 100
      ? []
      : [fieldErrors.text(`Traffic split percentage must total to 100, but was ${total}`, "splits")]),
  ];
}

function validateSplit(split: GivenSplit, namespace: string): readonly FieldError[] {
  const { serviceNamespace = "", serviceName = "", servicePort = "", percent = 0 } = split;
  const errors: FieldError[] = [];
  if (percent < 0 || percent > 100) errors.push(fieldErrors.range(percent, [0, 100], "percent"));
  if (serviceName === "") errors.push(fieldErrors.missing("serviceName"));
  if (servicePort === "" || servicePort === 0) errors.push(fieldErrors.missing("servicePort"));
  if (serviceNamespace === "") errors.push(fieldErrors.missing("serviceNamespace"));
  else if (serviceNamespace !== namespace) {
    const text = "service namespace must match ingress namespace";
    errors.push(fieldErrors.text(text, "serviceNamespace"));
  }
  return errors;
}

function specOf({ spec }: AnyObject): GivenSpec {
  // The schema of its kind said so; the compiler cannot follow it there.
  return typeof spec === "object" && spec !== null ? (spec as GivenSpec) : {};
}
