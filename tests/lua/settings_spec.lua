--- `:Brummer config`: the settings with their sources, and reading them again.
return function(test, t)
  local function popup(c)
    return t.wait(function()
      local floating = c:lua("return vim.api.nvim_win_get_config(0).relative ~= ''")
      return floating and table.concat(c:lines(), '\n')
    end, 'the window')
  end

  test('problems come first, then each setting, with its source where it is no default', function(child)
    local c = child()
    c:answers([[return { config = function(params) return {
      root = params.dir, files = { params.dir .. '/.brum.toml' },
      problems = { '.brum.toml:3: log_store.max_byte: unknown key (did you mean `max_bytes`?)' },
      values = {
        { key = 'mcp_port', value = '7777' }, { key = 'proxy_url' },
        { key = 'log_store.max_entries', value = '500', source = '.brum.toml:2' },
        { key = 'log_store.max_bytes', value = '5000', source = 'BRUMMER_LOG_STORE_MAX_BYTES' },
      } } end }]])
    c:cmd('Brummer config')
    local lines = vim.split(popup(c), '\n')
    t.eq(lines[1], 'problems (1)')
    t.has(lines[2], '.brum.toml:3: log_store.max_byte')
    t.has(lines[4], '# files: ')
    t.eq(vim.list_slice(lines, 5), {
      'mcp_port = 7777',
      '# proxy_url is not set',
      'log_store.max_entries = 500  # .brum.toml:2',
      'log_store.max_bytes = 5000   # BRUMMER_LOG_STORE_MAX_BYTES',
    })
    c:type('q')
    c:answers([[return { config = function(params) return { root = params.dir, files = {}, problems = {},
      values = { { key = 'log_store.max_bytes', value = '5000', source = 'BRUMMER_LOG_STORE_MAX_BYTES' } } } end }]])
    c:cmd('Brummer config')
    -- Not `these are the defaults`: the environment counts without a file.
    t.ok(popup(c):find('^# no .brum.toml in [^\n]+ or above\n'), popup(c))
    c:type('q')
    t.eq(c:mode().blocking, false)
  end)

  test('reload is completed, and a wrong word is named', function(child)
    local c = child()
    t.eq(c:lua("return vim.fn.getcompletion('Brummer config ', 'cmdline')"), { 'reload' })
    c:cmd('Brummer config relod')
    c:hears(":Brummer config has no 'relod'")
  end)

  test('a reload without a host says when the settings are read', function(child)
    local c = child()
    c:cmd('Brummer config reload')
    c:hears('no host runs; it reads its settings when it starts')
    t.eq(c:lua("return require('brummer.host').state()"), 'down')
  end)

  test('a reload that changes one thing says it in a line, more is a window', function(child)
    local c = child({ width = 100 })
    c:open_log()
    c:cmd('Brummer config reload')
    c:hears('are as they were')
    t.eq(c:call('reload').params, { dir = c.project })
    local function answer(fields)
      c:answers(([[return { reload = function(params) return vim.tbl_extend('force',
        { root = params.dir, files = { '/p/.brum.toml' }, applied = {}, restart = {}, problems = {} }, %s)
      end }]]):format(vim.inspect(fields)))
    end
    answer({ applied = { 'log_store.max_entries: 10000 → 500' } })
    c:cmd('Brummer config reload')
    c:hears('brummer: log_store.max_entries: 10000 → 500')
    answer({
      applied = { 'log_store.max_entries: 10000 → 500' },
      restart = { 'log_store.buffer_size takes effect when the host restarts' },
      problems = { '.brum.toml:3: log_store.max_byte: unknown key' },
    })
    c:cmd('Brummer config reload')
    t.eq(vim.split(popup(c), '\n'), {
      'problems (1)',
      '  .brum.toml:3: log_store.max_byte: unknown key',
      '',
      'in force now',
      '  log_store.max_entries: 10000 → 500',
      '',
      'later: the host starts again with Neovim',
      '  log_store.buffer_size takes effect when the host restarts',
      '',
      'files',
      '  /p/.brum.toml',
    })
  end)

  test('a reload that changed nothing says so, also while something waits', function(child)
    local c = child({ width = 100 })
    c:open_log()
    c:answers([[return { reload = function(params) return { root = params.dir, applied = {},
      files = { vim.uv.os_homedir() .. '/shop/.brum.toml' },
      restart = { 'proxy_url takes effect when the host restarts' },
      problems = { '.brum.toml:1: unclosed array; the file is not used' } } end }]])
    c:cmd('Brummer config reload')
    local lines = vim.split(popup(c), '\n')
    t.eq(lines[4], 'nothing changed')
    t.eq(lines[10], '  ~/shop/.brum.toml')
    t.ok(not table.concat(lines, '\n'):find('read from', 1, true), 'a file that is not used was not read')
  end)

  test('a small window breaks lines between words and shows them all', function(child)
    local c = child({ width = 60, height = 24 })
    c:open_log()
    c:answers([[return { reload = function(params) return { root = params.dir, files = {}, applied = {}, restart = {},
      problems = { ('.brum.toml:7: resources.memory_limit_mb: must be 16 to 1048576, not 5; keeping 512 as it was') } }
      end }]])
    c:cmd('Brummer config reload')
    popup(c)
    t.eq(c:lua('return vim.api.nvim_win_get_height(0)'), #c:lines())
    local screen = c:screen()
    t.has(table.concat(c:lines(), '\n'):gsub('%s+', ' '), 'must be 16 to 1048576, not 5; keeping 512 as it was')
    t.has(screen, 'none: these are the defaults')
  end)

  test('a reload tells when the host belongs to another project', function(child)
    local c = child({ width = 100 })
    c:open_log()
    c:answers([[return { reload = function() return { root = '/other', files = {}, applied = {},
      restart = {}, problems = {} } end }]])
    c:cmd('Brummer config reload')
    local text = popup(c)
    t.has(text, 'nothing changed')
    t.has(text, 'none: these are the defaults')
    t.has(text, '/other')
  end)
end
