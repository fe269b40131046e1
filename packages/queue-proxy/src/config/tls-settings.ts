import { parseTlsVariables, TlsVariableError, type TlsVariables } from "@rouse/shared";
import { ConfigError } from "./config-error.ts";

export type TlsSettings = ReturnType<typeof parseTlsVariables>;

/** @throws ConfigError `fatal`, naming the variable */
export function parseTlsSettings(read: (name: string) => string, names: TlsVariables): TlsSettings {
  try {
    return parseTlsVariables(read, names);
  } catch (error) {
    throw error instanceof TlsVariableError ? new ConfigError("fatal", error.message) : error;
  }
}
