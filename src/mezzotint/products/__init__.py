"""Product pictures with honest captions: 3-D models of a catalog, photographed by a studio, composed into scenes."""
