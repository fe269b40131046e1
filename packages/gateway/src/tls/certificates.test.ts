import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { issueCertificate, makeAuthority, RealClock, silentLogger } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { Certificates } from "./certificates.ts";

const now = new RealClock().wall(); // a certificate is checked against the machine's own time

describe("certificates", () => {
  test("a TLS client that trusts the authority accepts them, by name, and no other name", async () => {
    const authority = makeAuthority(now);
    const known = new Set(["hello.default.localhost"]);
    const own = issueCertificate(makeAuthority(now), { hosts: ["given.localhost"], now });
    let given = new Map([["given.localhost", own]]);
    const certificates = new Certificates({
      clock: { wall: () => now },
      log: silentLogger,
      authority,
      isKnown: (host) => known.has(host),
      given: (host) => given.get(host),
    });
    const server = createServer({
      ...issueCertificate(authority, { hosts: ["127.0.0.1"], now }),
      SNICallback: (name, done) => done(null, certificates.contextOf(name)),
    });
    server.on("tlsClientError", () => {}); // the client tells
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const see = async (servername: string, ca = authority.cert): Promise<string> => {
      const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername, ca });
      try {
        await once(socket, "secureConnect");
        return "accepted";
      } catch (error) {
        return error instanceof Error && "code" in error ? String(error.code) : String(error);
      } finally {
        socket.destroy();
      }
    };
    expect(await see("hello.default.localhost")).toBe("accepted");
    expect(await see("unknown.localhost")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await see("hello.default.localhost", makeAuthority(now).cert)).not.toBe("accepted");
    expect(await see("given.localhost", own.cert.slice(own.cert.lastIndexOf("-----BEGIN")))).toBe("accepted");
    expect(certificates.contextOf("hello.default.localhost")).toBe(
      certificates.contextOf("Hello.default.localhost"),
    );
    const before = certificates.contextOf("given.localhost");
    given = new Map([["given.localhost", issueCertificate(authority, { hosts: ["given.localhost"], now })]]);
    expect(certificates.contextOf("given.localhost")).not.toBe(before); // a Secret that changes is followed
    given = new Map([["given.localhost", { cert: "no", key: "no" }]]);
    expect(certificates.contextOf("given.localhost")).toBeUndefined();
  });
});
