--- Where the brummer program is.
local M = {}

--- The directory this plugin lives in.
---@return string
function M.plugin_dir()
  local source = debug.getinfo(1, 'S').source:sub(2)
  return vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(vim.fn.fnamemodify(source, ':p'))))
end

--- What repairs a missing or old program.
M.REPAIR = ':Brummer build'

---@return string[] candidates in the order in which they are tried
function M.candidates()
  local dir, list = M.plugin_dir(), {}
  local function add(...)
    list[#list + 1] = vim.fs.joinpath(...)
  end
  add(dir, 'target', 'release', 'brummer')
  if vim.env.CARGO_TARGET_DIR and vim.env.CARGO_TARGET_DIR ~= '' then
    add(vim.env.CARGO_TARGET_DIR, 'release', 'brummer')
  end
  add(dir, 'target', 'debug', 'brummer')
  add(dir, 'bin', 'brummer')
  return list
end

---@param path string
---@return string? problem
local function usable(path)
  local stat = vim.uv.fs_stat(path)
  if not stat then
    return ('no program at %s; run %s'):format(path, M.REPAIR)
  elseif stat.type ~= 'file' then
    return ('%s is a %s, not a program; set vim.g.brummer.binary to the file'):format(
      path,
      stat.type
    )
  elseif vim.fn.executable(path) == 0 then
    return ('%s is not executable; run chmod +x on it'):format(path)
  end
end

--- The program to start.
---@return string? path
---@return string? problem one line that says how to repair it
function M.find()
  local wanted = require('brummer.config').get().binary
  if wanted then
    wanted = vim.fs.normalize(wanted)
    if not wanted:find('/') then
      local found = vim.fn.exepath(wanted)
      wanted = found ~= '' and found or wanted
    end
    local problem = usable(wanted)
    return not problem and wanted or nil, problem
  end
  for _, path in ipairs(M.candidates()) do
    if vim.uv.fs_stat(path) then
      local problem = usable(path)
      return not problem and path or nil, problem
    end
  end
  local found = vim.fn.exepath('brummer')
  if found ~= '' then
    return found
  end
  return nil, ('the brummer program is not built yet; run %s'):format(M.REPAIR)
end

return M
