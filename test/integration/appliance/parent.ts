/** A supervisor in a process of its own, to be killed. usage: parent.ts FILE */
import { Supervisor } from "../../../src/appliance/index.ts";
import { specs } from "./specs.ts";

const [, , file = ""] = process.argv;
new Supervisor(specs(file, { control: "", gateway: "" }), { started: () => {}, crashed: () => {} }).start();
