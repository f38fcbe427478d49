/* Everything is defined: set it up. */

setUpTheme();
all("table.layers").forEach(setUpFolding);
all("details").forEach(setUpDetails);
all("table.sortable").forEach(setUpSorting);
setUpFilter();
all(".drawing").forEach(setUpDrawing);
