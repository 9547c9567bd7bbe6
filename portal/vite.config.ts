import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `tools/build.mjs` says where the result goes. */
export default defineConfig({
  base: '/portal/',
  plugins: [react()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
});
