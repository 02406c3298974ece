--- What ran when Neovim was left, kept for each project, and starting it again: the option `session_restore`.
local notify = require('brummer.notify')

local M = {}

---@class brummer.SavedRun
---@field names? string[]
---@field args? string[]
---@field command? string

---@class brummer.Saved
---@field root string
---@field at integer seconds since the epoch
---@field offered? boolean
---@field runs brummer.SavedRun[]

-- Neovim is started for them by another program, not to work.
local ERRANDS = { gitcommit = true, gitrebase = true, hgcommit = true, svn = true, jj = true }

---@type table<string, true> roots that were looked at in this session
local seen = {}

---@param root string
---@return string
local function path(root)
  local dir = vim.fn.stdpath('state') --[[@as string]]
  return vim.fs.joinpath(dir, 'brummer', 'sessions', vim.fn.sha256(root):sub(1, 16) .. '.json')
end

---@param root string
---@return brummer.Saved?
local function read(root)
  local file = io.open(path(root), 'r')
  if not file then
    return
  end
  local ok, saved = pcall(vim.json.decode, file:read('*a'), { luanil = { object = true } })
  file:close()
  if ok and type(saved) == 'table' and saved.root == root and type(saved.runs) == 'table' then
    return saved
  end
end

---@param saved brummer.Saved
local function write(saved)
  local to = path(saved.root)
  vim.fn.mkdir(vim.fs.dirname(to), 'p')
  -- Whoever reads it meanwhile sees the old one or the new one.
  local temporary = ('%s.%d'):format(to, vim.uv.os_getpid())
  local file = io.open(temporary, 'w')
  if file then
    file:write(vim.json.encode(saved))
    file:close()
    vim.uv.fs_rename(temporary, to)
  end
end

--- Whether something is kept for a project.
---@param root string
---@return boolean
function M.saved(root)
  return vim.uv.fs_stat(path(root)) ~= nil
end

--- Keeps what runs now, for each project that ran something. Neovim is being left.
function M.save()
  if not require('brummer.config').get().session_restore then
    return
  end
  local state, scripts = require('brummer.state'), require('brummer.scripts')
  local by_root = {} ---@type table<string, brummer.SavedRun[]>
  for _, row in ipairs(state.rows()) do
    local runs = by_root[row.root] or {}
    by_root[row.root] = runs
    if state.alive(row) then
      local how = scripts.how(row.root, row.name)
      local plain = not how.command and #(how.args or {}) == 0
      local last = runs[#runs]
      if plain and last and last.names and not last.args then
        -- Together, as they would be typed.
        table.insert(last.names, row.name)
      elseif plain then
        runs[#runs + 1] = { names = { row.name } }
      else
        local names = not how.command and { row.name } or nil
        runs[#runs + 1] = { names = names, args = how.args, command = how.command }
      end
    end
  end
  for root, runs in pairs(by_root) do
    if #runs == 0 then
      os.remove(path(root))
    else
      pcall(write, { root = root, at = os.time(), runs = runs })
    end
  end
end

---@param saved brummer.Saved
---@return string
local function listed(saved)
  local names = {}
  for _, run in ipairs(saved.runs) do
    vim.list_extend(names, run.names or { '!' .. (run.command or '') })
  end
  return table.concat(names, ', ')
end

--- Whether a window of this tab page shows the log of one of those, as after |:mksession|, or all of them in one.
---@param root string
---@param runs brummer.SavedRun[]
---@return boolean
local function on_screen(root, runs)
  local names = {} ---@type table<string, true>
  for _, run in ipairs(runs) do
    for _, name in ipairs(run.names or { run.command }) do
      names[name] = true
    end
  end
  return vim.iter(vim.api.nvim_tabpage_list_wins(0)):any(function(win)
    local view = require('brummer.ui.view').get(vim.api.nvim_win_get_buf(win))
    local log = view and view.kind == 'logs' and view.root == root
    return log and (not view.script or names[view.script] or false)
  end)
end

---@param saved brummer.Saved
---@param quiet boolean nobody asked for it
local function start(saved, quiet)
  local scripts = require('brummer.scripts')
  local names = 0
  for _, run in ipairs(saved.runs) do
    names = names + (run.names and #run.names or 1)
  end
  for _, run in ipairs(saved.runs) do
    scripts.start({
      root = saved.root,
      names = run.names,
      args = run.args,
      command = run.command,
      quiet = quiet,
      open = false,
    })
  end
  if not quiet and not on_screen(saved.root, saved.runs) then
    local name = names == 1 and saved.runs[1].names and saved.runs[1].names[1] or nil
    scripts.open_log(saved.root, name)
  end
end

--- Starts again what ran when Neovim was left: `:Brummer run --restore`.
function M.restore()
  local root = require('brummer.project').current()
  local saved = root and read(root)
  if saved then
    return start(saved, false)
  elseif require('brummer.config').get().session_restore then
    return notify.say('nothing ran here when Neovim was left')
  end
  notify.say('nothing is kept here; see :help brummer-session_restore')
end

--- Offers what ran, or starts it, once after each time Neovim was left.
function M.offer()
  local how = require('brummer.config').get().session_restore
  if not how or #vim.api.nvim_list_uis() == 0 or ERRANDS[vim.bo.filetype] then
    return
  end
  local root = require('brummer.project').current()
  if not root or seen[root] then
    return
  end
  seen[root] = true
  local saved = read(root)
  if not saved or saved.offered then
    return
  end
  saved.offered = true
  pcall(write, saved)
  if how == 'auto' then
    return start(saved, true)
  end
  notify.notice({
    kind = 'restore',
    name = root,
    text = notify.with_tail(
      'ran here: ' .. listed(saved),
      '; :Brummer run --restore runs it again',
      'run again: :Brummer run --restore'
    ),
    level = vim.log.levels.INFO,
  })
end

return M
