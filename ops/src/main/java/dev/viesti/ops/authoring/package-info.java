/**
 * What the authors of plugins do before there is a server: a project out of a template, a module
 * out of a project, and recorded events that are run through it. Called by the command line; knows
 * neither terminals nor options.
 */
@NullMarked
package dev.viesti.ops.authoring;

import org.jspecify.annotations.NullMarked;
