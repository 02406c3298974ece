-- Commands, <Plug> maps and the brummer:// scheme. Nothing is required before it is used, so that
-- the plugin costs less than a millisecond at start.
if vim.g.loaded_brummer then
  return
end
vim.g.loaded_brummer = 1

if vim.fn.has('nvim-0.10') == 0 then
  vim.api.nvim_create_user_command('Brummer', function()
    vim.notify('brummer needs Neovim 0.10 or newer', vim.log.levels.ERROR, { title = 'brummer' })
  end, { nargs = '*' })
  return
end

vim.api.nvim_create_user_command('Brummer', function(opts)
  require('brummer.commands').brummer(opts)
end, {
  nargs = '*',
  bang = true,
  range = 0,
  addr = 'other',
  desc = 'brummer: run scripts, read their logs, jump to their errors',
  complete = function(lead, line, pos)
    return require('brummer.complete').brummer(lead, line, pos)
  end,
})

vim.api.nvim_create_user_command('BrummerRun', function(opts)
  require('brummer.commands').run(opts, opts.args)
end, {
  nargs = '*',
  bang = true,
  range = 0,
  addr = 'other',
  desc = 'brummer: run a script or !command',
  complete = function(lead, line, pos)
    return require('brummer.complete').run(lead, line, pos)
  end,
})

for name, verb in pairs({
  run = 'run',
  ['run-last'] = 'run_last',
  restore = 'restore',
  stop = 'stop',
  ['stop-all'] = 'stop_all',
  details = 'details',
  restart = 'restart',
  send = 'send',
  attach = 'attach',
  logs = 'logs',
  errors = 'errors',
  next = 'next',
  prev = 'prev',
  clear = 'clear',
  open = 'open',
  toggle = 'toggle',
  health = 'health',
  refresh = 'refresh',
  search = 'search',
  filter = 'filter',
  ['only-errors'] = 'only_errors',
  previous = 'previous',
  load = 'load',
  ['open-url'] = 'open_url',
  go = 'go',
  preview = 'preview',
  ['go-split'] = 'go_split',
  ['go-vsplit'] = 'go_vsplit',
  ['go-tab'] = 'go_tab',
  ['next-error'] = 'next_error',
  ['prev-error'] = 'prev_error',
  ['next-run'] = 'next_run',
  ['prev-run'] = 'prev_run',
  explain = 'explain',
  help = 'help',
  close = 'close',
}) do
  vim.keymap.set('n', '<Plug>(brummer-' .. name .. ')', function()
    require('brummer.actions').run(verb)
  end, { desc = 'brummer: ' .. verb:gsub('_', ' ') })
end

--- What ran when Neovim was left last is offered, where the options want it.
local function restore()
  local options = vim.g.brummer
  local lazy = package.loaded['brummer.config']
  if type(options) == 'function' or type(options) == 'table' and options.session_restore or lazy then
    require('brummer.session').offer()
  end
end

local group = vim.api.nvim_create_augroup('brummer', {})
vim.api.nvim_create_autocmd('VimEnter', {
  group = group,
  desc = 'brummer: what ran when Neovim was left',
  callback = vim.schedule_wrap(restore),
})
vim.api.nvim_create_autocmd('BufReadCmd', {
  group = group,
  pattern = 'brummer://*',
  desc = 'brummer: draw a view',
  nested = true,
  callback = function(args)
    require('brummer.ui.view').attach(args.buf, args.match)
  end,
})
vim.api.nvim_create_autocmd('BufFilePre', {
  group = group,
  desc = 'brummer: views that a session names again',
  callback = function()
    if vim.g.SessionLoad then
      require('brummer.ui.mksession').names()
    end
  end,
})
vim.api.nvim_create_autocmd('BufFilePost', {
  group = group,
  pattern = 'brummer://*',
  desc = 'brummer: views of a session',
  callback = function(args)
    if vim.g.SessionLoad then
      require('brummer.ui.mksession').named(args.buf)
    end
  end,
})
vim.api.nvim_create_autocmd('SessionLoadPost', {
  group = group,
  desc = 'brummer: turn restored buffers into views again',
  nested = true,
  callback = function()
    restore()
    if package.loaded['brummer.ui.mksession'] then
      require('brummer.ui.mksession').restore()
    end
  end,
})
