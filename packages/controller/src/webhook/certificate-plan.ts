import { X509Certificate } from "node:crypto";
import { type Authority, issueCertificate, makeAuthority, type Secret, type WallMs } from "@rouse/shared";

const DAY_MS = 86_400_000;
/** A certificate lives this long and is made anew when a third of that is left. */
const SERVER_DAYS = 90;
const RENEW_MS = 30 * DAY_MS;
/** An authority lives ten years. */
const RENEW_AUTHORITY_MS = 365 * DAY_MS;
const AUTHORITY_NAME = "Rouse webhook";

/** What the webhook shows, and what whoever asks it has to trust. In PEM. */
export interface WebhookCertificate {
  readonly server: Authority;
  /** More than one certificate while one authority follows another. */
  readonly bundle: string;
}

export type CertificatePlan =
  | { readonly kind: "use"; readonly certificate: WebhookCertificate }
  | {
      readonly kind: "store";
      readonly data: NonNullable<Secret["data"]>;
      readonly certificate: WebhookCertificate;
    };

/**
 * Whether what the Secret holds is good for a while. If not, what it is to hold: a new certificate of the same
 * authority, or of a new one, and then the old one stays in the bundle for those who have not heard.
 */
export function planCertificate(
  data: Secret["data"],
  { hosts, now }: { readonly hosts: readonly string[]; readonly now: WallMs },
): CertificatePlan {
  const bundle = textOf(data, "ca.crt");
  const known = knownAuthority(data, bundle, now);
  const authority = known ?? makeAuthority(now, AUTHORITY_NAME);
  const server = { cert: textOf(data, "tls.crt"), key: textOf(data, "tls.key") };
  if (known !== undefined && isGood(server, known, { hosts, now })) {
    return { kind: "use", certificate: { server, bundle } };
  }
  const next = issueCertificate(authority, { hosts, now, days: SERVER_DAYS });
  const trusted = known === undefined ? authority.cert + stillTrusted(bundle, now) : bundle;
  return {
    kind: "store",
    data: {
      "ca.crt": base64(trusted),
      "ca.key": base64(authority.key),
      "tls.crt": base64(next.cert),
      "tls.key": base64(next.key),
    },
    certificate: { server: next, bundle: trusted },
  };
}

/** The first of the bundle is the one that issues. */
function knownAuthority(data: Secret["data"], bundle: string, now: WallMs): Authority | undefined {
  const [cert] = certificatesOf(bundle);
  const key = textOf(data, "ca.key");
  if (cert === undefined || key === "" || endOf(cert) - now < RENEW_AUTHORITY_MS) return undefined;
  return { cert, key };
}

function isGood(
  server: Authority,
  authority: Authority,
  { hosts, now }: { readonly hosts: readonly string[]; readonly now: WallMs },
): boolean {
  const [cert] = certificatesOf(server.cert);
  if (cert === undefined || server.key === "" || endOf(cert) - now < RENEW_MS) return false;
  const leaf = new X509Certificate(cert);
  return (
    leaf.checkIssued(new X509Certificate(authority.cert)) &&
    hosts.every((host) => leaf.checkHost(host) !== undefined)
  );
}

function stillTrusted(bundle: string, now: WallMs): string {
  return certificatesOf(bundle)
    .filter((cert) => endOf(cert) > now)
    .join("");
}

function certificatesOf(pem: string): readonly string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  return found.every(isReadable) ? found : [];
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== "";
  } catch {
    return false;
  }
}

function endOf(pem: string): number {
  return new X509Certificate(pem).validToDate.getTime();
}

function textOf(data: Secret["data"], name: string): string {
  return Buffer.from(data?.[name] ?? "", "base64").toString("utf8");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
