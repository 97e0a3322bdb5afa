#!/usr/bin/env node
/** The only place that wires: processes and commands. Everything it starts, it stops. */
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { hostname, userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { Command, CommanderError } from "commander";
import { pino, type Logger } from "pino";
import { messageOf, NIAC_VERSION, systemCode, UsageError } from "./base/index.ts";
import { auditCommand, endCommand, explain, sessionsCommand, siteCommand, statusCommand, type Surroundings } from "./command/index.ts";
import { describeSettings, readSettings } from "./settings/index.ts";
import { Supervisor } from "./supervisor.ts";
