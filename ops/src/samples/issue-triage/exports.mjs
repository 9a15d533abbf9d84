// Gives exports the names of Viesti's contract, in which words are joined by hyphens: what the
// source calls handleEvent is handle-event in the module. Passed to asc with --transform, as
// `viesti plugin build` does.
import { Transform } from "assemblyscript/transform";

export default class extends Transform {
  afterCompile(module) {
    const binaryen = this.binaryen;
    const functions = [];
    for (let i = 0; i < module.getNumExports(); i++) {
      const one = binaryen.getExportInfo(module.getExportByIndex(i));
      if (one.kind === binaryen.ExternalFunction) functions.push(one);
    }
    for (const { name, value } of functions) {
      const wanted = name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
      if (wanted !== name) {
        module.removeExport(name);
        module.addFunctionExport(value, wanted);
      }
    }
  }
}
