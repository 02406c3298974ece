-- A list that is drawn: plugins that decorate text are asked to stay away.
vim.b.undo_ftplugin = 'setlocal commentstring<'
vim.bo.commentstring = ''
vim.b.matchup_matchparen_enabled = 0
vim.b.miniindentscope_disable = true
vim.b.minicursorword_disable = true
vim.b.snacks_scroll = false
vim.b.snacks_indent = false
