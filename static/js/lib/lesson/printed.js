// Pictures that stand on paper in place of live views. A browser that prints does not wait for a picture that was never
// on screen, and a server that has just started needs a while for each: so they are fetched while somebody reads.

const isThere = (image) => image.complete && image.naturalWidth > 0;

/** isReady(): whether every picture is there; ready(): a promise that they are, or cannot be; gather(): the same, one
 * after the other, so that whoever looks meanwhile does not wait for them. */
export function createPrinted(images) {
  async function fetched(image) {
    if (isThere(image)) return;
    if (image.loading === "eager" && image.complete) image.src = image.src; // it failed: perhaps the server was busy
    image.loading = "eager";
    await image.decode().catch(() => {});
  }
  return {
    isReady: () => images.every(isThere),
    ready: () => Promise.all(images.map(fetched)),
    async gather() {
      for (const image of images) await fetched(image);
    },
  };
}
