// Files that are dropped or pasted.

/** The first file that a drop or a paste brought, or null. */
export const fileOf = (transfer) => [...(transfer?.files ?? [])][0] ?? null;

/** Whether something that is dragged holds files; which ones is known only once they are dropped. */
export const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Whether a file is named as a trace file is. */
export const isTraceFile = (file) => /\.safetensors$/i.test(file?.name ?? "");
