--- Keys of the views: only keys that can do nothing where text cannot be changed. A key means the
--- same verb in every view.
local M = {}

---@type table<string, { [1]: string, [2]: string }[]> kind -> lhs and verb
M.keys = {
  logs = {
    { '<CR>', 'go' },
    { 'gf', 'go' },
    { 'gF', 'go' },
    { 'o', 'preview' },
    { 'O', 'go_split' },
    { 'gO', 'go_vsplit' },
    { '<C-w>gF', 'go_tab' },
    { ']e', 'next_error' },
    { '[e', 'prev_error' },
    { ']p', 'next_run' },
    { '[p', 'prev_run' },
    { 'K', 'details' },
    { 'r', 'restart' },
    { 'i', 'send' },
    { 'a', 'run' },
    { 'x', 'clear' },
    { '&', 'filter' },
    { 'g/', 'search' },
    { 'gL', 'load' },
    { 'gx', 'open_url' },
    { 'u', 'open_url' },
    { 'g?', 'help' },
    { 'q', 'close' },
  },
  search = {
    { '<CR>', 'go' },
    { 'gf', 'go' },
    { 'gF', 'go' },
    { 'o', 'preview' },
    { 'O', 'go_split' },
    { 'gO', 'go_vsplit' },
    { '<C-w>gF', 'go_tab' },
    { 'K', 'details' },
    { 'R', 'refresh' },
    { 'g/', 'search' },
    { 'gx', 'open_url' },
    { 'u', 'open_url' },
    { 'g?', 'help' },
    { 'q', 'close' },
  },
  processes = {
    { '<CR>', 'go' },
    { 'o', 'preview' },
    { 'O', 'go_split' },
    { 'gO', 'go_vsplit' },
    { '<C-w>gF', 'go_tab' },
    { 's', 'stop' },
    { 'K', 'details' },
    { 'r', 'restart' },
    { 'i', 'send' },
    { 'a', 'run' },
    { 'gx', 'open_url' },
    { 'u', 'open_url' },
    { 'g/', 'search' },
    { 'g?', 'help' },
    { 'q', 'close' },
  },
  terminal = {
    { 'q', 'close' },
  },
  health = {
    { 'R', 'refresh' },
    { 'g?', 'help' },
    { 'q', 'close' },
  },
}

--- Keys of a kind after the option `keys`: false removes, a verb's name moves it there.
---@param kind string
---@return { [1]: string, [2]: string }[]
function M.resolve(kind)
  local option = require('brummer.config').get().keys
  if option == false then
    return {}
  elseif type(option) ~= 'table' then
    return M.keys[kind]
  end
  local moved, out, offered = {}, {}, {}
  for lhs, verb in pairs(option) do
    if type(verb) == 'string' then
      moved[verb:gsub('-', '_')] = lhs
    end
  end
  for _, key in ipairs(M.keys[kind]) do
    offered[key[2]] = true
    if option[key[1]] == nil and not moved[key[2]] then
      out[#out + 1] = key
    end
  end
  for verb, lhs in pairs(moved) do
    if offered[verb] then
      out[#out + 1] = { lhs, verb }
    end
  end
  return out
end

--- Maps the keys of a view.
---@param buf integer
---@param kind string
function M.attach(buf, kind)
  for _, key in ipairs(M.resolve(kind)) do
    local verb = key[2]
    vim.keymap.set('n', key[1], function()
      require('brummer.actions').run(verb)
    end, {
      buffer = buf,
      nowait = true,
      desc = 'brummer: ' .. require('brummer.actions').verbs[verb].desc,
    })
  end
end

--- Lists the keys of the current view.
function M.help()
  local view = require('brummer.ui.view').get(0)
  if not view then
    return vim.cmd.help('brummer')
  end
  local verbs, lines = require('brummer.actions').verbs, {}
  for _, key in ipairs(M.resolve(view.kind)) do
    lines[#lines + 1] = (' %-9s %s'):format(key[1], verbs[key[2]].desc)
  end
  lines[#lines + 1] = ''
  lines[#lines + 1] = ' :help brummer-keys changes or removes them'
  require('brummer.ui.window').popup(lines, 'keys')
end

return M
