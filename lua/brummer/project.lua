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

---@type table<string, { root: string, at: integer }> what the host said of a directory
local learned = {}

-- How long a command goes by what the host said before.
local FRESH_MS = 5000

--- The project a directory is in: as the host said, else as it looks.
---@param path string
---@return string?
function M.above(path)
  local known = learned[path]
  if known and is(known.root, 'directory') then
    return known.root
  end
  return (require('brummer.root').find(path))
end

--- The directory a command is about, where it is not that of a brummer buffer's project.
---@param buf? integer
---@return string? dir
---@return string? root of a brummer buffer
function M.place(buf)
  buf = buf or vim.api.nvim_get_current_buf()
  local view = require('brummer.ui.view').get(buf)
  if view and view.root then
    return nil, view.root
  end
  local name = vim.api.nvim_buf_get_name(buf)
  if vim.bo[buf].buftype == '' and name ~= '' and not name:find('^%a[%w+.-]*://') then
    local dir = vim.fs.dirname(vim.fs.normalize(name, { expand_env = false }))
    if is(dir, 'directory') and M.above(dir) then
      return dir
    end
  end
  local tab = vim.api.nvim_tabpage_get_number(0)
  return vim.fn.getcwd(-1, tab)
end

--- The project of a command: of the current brummer buffer, else of the current file, else of the
--- tab's working directory.
---@param buf? integer
---@return string? root
function M.current(buf)
  local dir, root = M.place(buf)
  return root or M.above(dir --[[@as string]])
end

--- As `current`, and nil where only the host can say it.
---@return string? root
---@return string dir to ask the host about
function M.certain()
  local dir, root = M.place()
  if root or not dir then
    return root, root or ''
  end
  local known = learned[dir]
  if known and vim.uv.now() - known.at < FRESH_MS then
    return known.root, dir
  end
  local found, certain = require('brummer.root').find(dir)
  return certain and found or nil, dir
end

--- Remembers in which project a directory is.
---@param dir string
---@param root string
function M.learn(dir, root)
  learned[dir] = { root = root, at = vim.uv.now() }
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
