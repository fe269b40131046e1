import {
  invalidValue,
  isJsonMap,
  isSameJson,
  type JsonMap,
  type Kind,
  type KubeObject,
  matchesLabels,
  memberAt,
  memberOf,
  rouse,
  type StatusCause,
} from "@rouse/shared";
import { draftOf, mapsIn } from "./draft.ts";

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const CONFIG_KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
/** P-36. */
const DATA_BYTES_MAX = 1_048_576;
const POD_UPDATE_TEXT =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

interface Checked {
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
}

/** Everything about a compiled-in kind's object that the reference refuses, as far as clients see it. P-60…P-67 */
export function validateBuiltIn(kind: Kind<KubeObject>, checked: Checked): readonly StatusCause[] {
  switch (kind.kind) {
    case "ConfigMap":
    case "Secret":
      return validateData(checked);
    case "Service":
      return validateService(checked);
    case "Pod":
      return [...validatePodSpec(checked.object, "spec"), ...podUpdate(checked)];
    case "Deployment":
    case "ReplicaSet":
      return validateWorkload(checked);
    case "EndpointSlice":
      return validateSlice(checked);
    case "Lease":
      return validateLease(checked);
    case "Event":
      return validateEvent(checked);
    default:
      return [];
  }
}

function required(field: string, why = ""): StatusCause {
  return { reason: "FieldValueRequired", message: `Required value${why === "" ? "" : `: ${why}`}`, field };
}

function forbiddenField(field: string, why: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

function notSupported(field: string, value: unknown, supported: readonly string[]): StatusCause {
  const values = supported.map((text) => JSON.stringify(text)).join(", ");
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`;
  return { reason: "FieldValueNotSupported", message, field };
}

function immutable(field: string, { object, before }: Checked): readonly StatusCause[] {
  if (before === undefined) return [];
  const value = memberAt(object, field);
  return isSameJson(value, memberAt(before, field))
    ? []
    : [invalidValue(field, value ?? null, "field is immutable")];
}

function validateData({ object, before }: Checked): readonly StatusCause[] {
  const data = entriesOf(object, "data");
  const binary = entriesOf(object, "binaryData");
  const causes = [
    ...data.map(([key]) => ["data", key]),
    ...binary.map(([key]) => ["binaryData", key]),
  ].flatMap(([member = "", key = ""]): readonly StatusCause[] =>
    CONFIG_KEY.test(key) && key.length <= 253
      ? []
      : [invalidValue(`${member}[${key}]`, key, CONFIG_KEY_TEXT)],
  );
  const both = binary.filter(([key]) => data.some(([other]) => other === key));
  const bytes = [...data, ...binary].reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0);
  const frozen = memberOf(before, "immutable") === true;
  const changed = ["data", "binaryData"].filter(
    (name) => !isSameJson(memberOf(object, name), memberOf(before, name)),
  );
  return [
    ...causes,
    ...both.map(([key]) => invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData")),
    ...(bytes > DATA_BYTES_MAX
      ? [
          {
            reason: "FieldValueTooLong" as const,
            message: `Too long: may not be more than ${DATA_BYTES_MAX} bytes`,
            field: "[]",
          },
        ]
      : []),
    ...(frozen && memberOf(object, "immutable") !== true
      ? [forbiddenField("immutable", "field is immutable when `immutable` is set")]
      : []),
    ...(frozen
      ? changed.map((name) => forbiddenField(name, "field is immutable when `immutable` is set"))
      : []),
  ];
}

function validateService(checked: Checked): readonly StatusCause[] {
  const { object, before } = checked;
  const spec = memberOf(object, "spec");
  const type = memberOf(spec, "type");
  const ports = mapsIn(draftOf({ spec }).spec, "ports");
  const causes: StatusCause[] = [];
  const isHeadless = memberOf(spec, "clusterIP") === "None";
  if (ports.length === 0 && type !== "ExternalName" && !isHeadless) causes.push(required("spec.ports"));
  for (const [index, port] of ports.entries()) {
    const number = port.port;
    if (typeof number !== "number" || number < 1 || number > 65_535) {
      causes.push(
        invalidValue(`spec.ports[${index}].port`, number ?? 0, "must be between 1 and 65535, inclusive"),
      );
    }
    if (ports.length > 1 && !port.name) causes.push(required(`spec.ports[${index}].name`));
  }
  const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  if (!types.some((known) => known === type)) causes.push(notSupported("spec.type", type, types));
  const had = memberAt(before, "spec.clusterIP");
  const ips = memberAt(object, "spec.clusterIPs");
  const isKept = memberAt(before, "spec.type") !== "ExternalName" && type !== "ExternalName";
  if (had && isKept && memberOf(spec, "clusterIP") !== had) {
    causes.push(invalidValue("spec.clusterIPs[0]", ips, "may not change once set"));
  }
  if (memberAt(object, "status.loadBalancer.ingress") !== undefined && type !== "LoadBalancer") {
    const why = "may only be used when `spec.type` is 'LoadBalancer'";
    causes.push(forbiddenField("status.loadBalancer.ingress", why));
  }
  return causes;
}

function validateWorkload(checked: Checked): readonly StatusCause[] {
  const { object } = checked;
  const selector = memberAt(object, "spec.selector");
  const labels = memberAt(object, "spec.template.metadata.labels");
  const replicas = memberAt(object, "spec.replicas");
  const causes: StatusCause[] = [];
  if (typeof replicas === "number" && replicas < 0) {
    causes.push(invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"));
  }
  const isEmpty = !isJsonMap(selector) || Object.keys(selector).length === 0;
  if (selector === undefined) causes.push(required("spec.selector"));
  else if (isEmpty)
    causes.push(invalidValue("spec.selector", selector, "empty selector is invalid for deployment"));
  if (isEmpty || !selectsTemplate(selector, labels)) {
    const why = "`selector` does not match template `labels`";
    causes.push(invalidValue("spec.template.metadata.labels", labels ?? null, why));
  }
  return [
    ...causes,
    ...immutable("spec.selector", checked),
    ...validatePodSpec(memberAt(object, "spec.template"), "spec.template.spec"),
  ];
}

function selectsTemplate(selector: unknown, labels: unknown): boolean {
  const map = isJsonMap(labels) ? labels : {};
  const texts = Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]));
  const equal = entriesOf(selector, "matchLabels").every(([key, value]) => texts[key] === value);
  return (
    equal &&
    mapsIn(isJsonMap(selector) ? draftOf(selector) : {}, "matchExpressions").every(
      ({ key, operator, values }) => {
        const set = new Set(Array.isArray(values) ? values.map(String) : []);
        const name = String(key);
        switch (operator) {
          case "In":
            return matchesLabels(texts, [{ kind: "in", key: name, values: set }]);
          case "NotIn":
            return matchesLabels(texts, [{ kind: "not-in", key: name, values: set }]);
          case "Exists":
            return name in texts;
          default:
            return !(name in texts);
        }
      },
    )
  );
}

/** Of a pod or a template of pods. */
function validatePodSpec(pod: unknown, field: string): readonly StatusCause[] {
  const spec = memberOf(pod, "spec");
  const draft = isJsonMap(spec) ? draftOf(spec) : {};
  const containers = mapsIn(draft, "containers");
  if (containers.length === 0) return [required(`${field}.containers`)];
  const volumes = new Set(mapsIn(draft, "volumes").map(({ name }) => name));
  const seen = new Set<unknown>();
  const causes: StatusCause[] = [];
  for (const list of ["initContainers", "containers"]) {
    for (const [index, container] of mapsIn(draft, list).entries()) {
      const at = `${field}.${list}[${index}]`;
      if (!container.name) causes.push(required(`${at}.name`));
      else if (seen.has(container.name)) {
        const message = `Duplicate value: ${JSON.stringify(container.name)}`;
        causes.push({ reason: "FieldValueDuplicate", message, field: `${at}.name` });
      }
      seen.add(container.name);
      if (!container.image && !hasProgram(container, pod)) causes.push(required(`${at}.image`));
      for (const [mountIndex, mount] of mapsIn(container, "volumeMounts").entries()) {
        if (volumes.has(mount.name)) continue;
        const message = `Not found: ${JSON.stringify(mount.name)}`;
        causes.push({
          reason: "FieldValueNotFound",
          message,
          field: `${at}.volumeMounts[${mountIndex}].name`,
        });
      }
    }
  }
  const policies = ["Always", "OnFailure", "Never"];
  if (draft.restartPolicy && !policies.includes(String(draft.restartPolicy))) {
    causes.push(notSupported(`${field}.restartPolicy`, draft.restartPolicy, policies));
  }
  return causes;
}

/** P-61: what of a pod's spec may still change. */
function podUpdate({ object, before }: Checked): readonly StatusCause[] {
  if (before === undefined) return [];
  const rest = (pod: KubeObject): unknown => {
    const spec = draftOf({ spec: memberOf(pod, "spec") ?? {} }).spec;
    const draft = isJsonMap(spec) ? draftOf(spec) : {};
    for (const name of ["tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds"])
      delete draft[name];
    for (const list of ["initContainers", "containers"])
      for (const each of mapsIn(draft, list)) delete each.image;
    return draft;
  };
  return isSameJson(rest(object), rest(before)) ? [] : [forbiddenField("spec", POD_UPDATE_TEXT)];
}

function validateSlice(checked: Checked): readonly StatusCause[] {
  const { object } = checked;
  const type = memberOf(object, "addressType");
  const draft = draftOf(object);
  const known = ["FQDN", "IPv4", "IPv6"];
  return [
    ...(type
      ? known.includes(String(type))
        ? []
        : [notSupported("addressType", type, known)]
      : [required("addressType")]),
    ...immutable("addressType", checked),
    ...tooMany("endpoints", mapsIn(draft, "endpoints").length, 1_000),
    ...tooMany("ports", mapsIn(draft, "ports").length, 100),
  ];
}

function tooMany(field: string, count: number, max: number): readonly StatusCause[] {
  if (count <= max) return [];
  return [
    { reason: "FieldValueTooLong", message: `Too many: ${count}: must have at most ${max} items`, field },
  ];
}

function validateLease({ object }: Checked): readonly StatusCause[] {
  const seconds = memberAt(object, "spec.leaseDurationSeconds");
  const transitions = memberAt(object, "spec.leaseTransitions");
  return [
    ...(typeof seconds === "number" && seconds <= 0
      ? [invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0")]
      : []),
    ...(typeof transitions === "number" && transitions < 0
      ? [invalidValue("spec.leaseTransitions", transitions, "must be greater than or equal to 0")]
      : []),
  ];
}

function validateEvent({ object }: Checked): readonly StatusCause[] {
  const namespace = memberAt(object, "involvedObject.namespace") ?? "";
  const own = object.metadata.namespace ?? "";
  // What is about an object of no namespace is kept in `default`.
  if (namespace === own || (namespace === "" && own === "default")) return [];
  return [invalidValue("involvedObject.namespace", namespace, "does not match event.namespace")];
}

function entriesOf(value: unknown, name: string): readonly (readonly [string, unknown])[] {
  const map = memberOf(value, name);
  return isJsonMap(map) ? Object.entries(map) : [];
}

/** Images are not run here: a container with a command needs none. */
function hasProgram({ command }: JsonMap, pod: unknown): boolean {
  const annotations = memberAt(pod, "metadata.annotations");
  return (Array.isArray(command) && command.length > 0) || memberOf(annotations, rouse.command) !== undefined;
}
