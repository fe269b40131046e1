import { type FieldError, fieldErrors } from "./field-error.ts";

const PREFIX = "networking.knative.dev/";
/** Keys of the networking API that there are; any other one is a mistake. */
const KEYS: ReadonlySet<string> = new Set(
  ["ingress.class", "ingress-class", "certificate.class", "certificate-class", "httpOption", "http-protocol"]
    .concat(["disableAutoTLS", "disable-auto-tls", "disable-external-domain-tls", "visibility"])
    .map((name) => `${PREFIX}${name}`),
);

/** Annotations of networking that there are not, on a revision's template or a ServerlessService. K-11, C-153 */
export function validateNetworkingAnnotations(
  annotations: Readonly<Record<string, string>>,
): readonly FieldError[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(PREFIX) && !KEYS.has(key))
    .map((key) => fieldErrors.key(key, "", "there is no such networking annotation"));
}
