import type { Socket } from "node:net";
import { vi } from "vitest";
import { bytesSuite } from "./http-bytes-suite.ts";

/** As with a Node whose accepted sockets cannot be moved. */
vi.mock("../src/http/h1/accepted-socket.ts", () => ({ movedToOnRead: (accepted: Socket) => accepted }));

bytesSuite();
