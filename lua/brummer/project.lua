--- Which project a command is about, and how the projects are told apart.
local M = {}

---@type string[] roots in the order in which they were first used
local roots = {}

---@param path string
---@param type string
---@return boolean
local function is(path, type)
  local stat = vim.uv.fs_stat(path)
  return stat ~= nil and stat.type == type
end

--- Nearest directory at or above `path` with a package.json or .brum.toml, as the host finds it: packages
--- in `node_modules` are no projects, and `~/.brum.toml` holds the user's settings.
---@param path string
---@return string?
function M.above(path)
  local home = vim.uv.os_homedir()
  local dir = path ---@type string?
  while dir do
    if
      not (dir .. '/'):find('/node_modules/', 1, true)
      and (
        is(vim.fs.joinpath(dir, 'package.json'), 'file')
        or dir ~= home and is(vim.fs.joinpath(dir, '.brum.toml'), 'file')
      )
    then
      return dir
    end
    local parent = vim.fs.dirname(dir)
    dir = parent ~= dir and parent or nil
  end
end

--- The project of a command: of the current brummer buffer, else of the current file, else of the
--- tab's working directory.
---@param buf? integer
---@return string? root
function M.current(buf)
  buf = buf or vim.api.nvim_get_current_buf()
  local view = require('brummer.ui.view').get(buf)
  if view and view.root then
    return view.root
  end
  local name = vim.api.nvim_buf_get_name(buf)
  if vim.bo[buf].buftype == '' and name ~= '' and not name:find('^%a[%w+.-]*://') then
    local dir = vim.fs.dirname(vim.fs.normalize(name, { expand_env = false }))
    local root = is(dir, 'directory') and M.above(dir)
    if root then
      return root
    end
  end
  local tab = vim.api.nvim_tabpage_get_number(0)
  return M.above(vim.fn.getcwd(-1, tab))
end

--- How the buffers of a root are told apart: nil for the first project, `~NAME` for others.
---@param root string
---@param always? boolean also for the first
---@return string?
function M.label(root, always)
  for i, known in ipairs(roots) do
    if known == root then
      return (always or i > 1) and M.labels()[i] or nil
    end
  end
  roots[#roots + 1] = root
  return M.label(root, always)
end

--- Labels of all roots, unique.
---@return string[]
function M.labels()
  local out, seen = {}, {}
  for i, root in ipairs(roots) do
    local base = vim.fs.basename(root)
    seen[base] = (seen[base] or 0) + 1
    out[i] = seen[base] > 1 and ('%s-%d'):format(base, seen[base]) or base
  end
  return out
end

--- The root behind a label; without one the first project, else the one here.
---@param label? string
---@return string?
function M.by_label(label)
  if label then
    for i, other in ipairs(M.labels()) do
      if other == label then
        return roots[i]
      end
    end
    for tab = 1, vim.fn.tabpagenr('$') do
      local root = M.above(vim.fn.getcwd(-1, tab))
      if root and vim.fs.basename(root) == label then
        return root
      end
    end
    return nil
  end
  if not roots[1] then
    local tab = vim.api.nvim_tabpage_get_number(0)
    roots[1] = M.above(vim.fn.getcwd(-1, tab))
  end
  return roots[1]
end

return M
