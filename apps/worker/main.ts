import '@segue/process/firstSignal.ts';

await import('./program.ts');
