/**
 * A file of its own, so that the parser is loaded only where there is a kubeconfig, and by its name also from the bundle:
 * `await import('yaml')` gives a bundler's CommonJS package no names.
 */
export { parse as parseYaml } from 'yaml';
