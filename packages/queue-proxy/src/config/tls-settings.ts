import { parseTlsVariables, TlsVariableError, type TlsVariables } from "@rouse/shared";
import { ConfigError } from "./config-error.ts";

export type TlsSettings = ReturnType<typeof parseTlsVariables>;

/** @throws ConfigError `fatal`, naming the variable */
export function parseTlsSettings(read: (name: string) => string, names: TlsVariables): TlsSettings {
  return tlsOrFatal(() => parseTlsVariables(read, names));
}

/** What variables say of TLS. @throws ConfigError `fatal` where they make no sense */
export function tlsOrFatal<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof TlsVariableError ? new ConfigError("fatal", error.message) : error;
  }
}
