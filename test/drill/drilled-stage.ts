/** The stage whose template is drilled: it has every alarm of every stage. */
export const drilledStage = 'prod';
