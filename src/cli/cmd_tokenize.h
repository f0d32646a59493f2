/*
 * gollum tokenize -m M [--special] [--add-special]: text on stdin, exactly as it is -> token ids on one line.
 * gollum detokenize -m M [--skip-special]: token ids on stdin -> text, exactly as it is.
 *
 * Both read the file's metadata only. argv[0] is the command's name. They return the process's exit code.
 */
#ifndef GOL_CLI_CMD_TOKENIZE_H
#define GOL_CLI_CMD_TOKENIZE_H

int gol_cmd_tokenize(int argc, char **argv);
int gol_cmd_detokenize(int argc, char **argv);

#endif
