// Changes of one gesture, such as a drag of a slider, are undone together.
let count = 0;

export const newGesture = (): number => ++count;
