--- B1, B3, B4: names, projects, arguments, completion.
return function(test, t)
  test('B1: a wrong subcommand names the nearest', function(child)
    local c = child({ width = 200 })
    c:cmd('Brummer rstart')
    c:hears(":Brummer has no 'rstart', did you mean 'restart'?")
  end)

  test('B1: names of later versions say so', function(child)
    local c = child({ width = 200 })
    for _, name in ipairs({ 'urls', 'web', 'mcp', 'report' }) do
      c:cmd('Brummer ' .. name)
      c:hears((':Brummer %s is not in this version'):format(name))
    end
  end)

  test('B1: every name of the list exists', function()
    local commands = require('brummer.commands').commands
    local all = 'run stop restart send attach logs errors next prev search filter clear urls web '
      .. 'health explain mcp config build open report toggle help'
    for name in all:gmatch('%S+') do
      t.ok(commands[name], name)
    end
    t.eq(vim.tbl_count(commands), select(2, all:gsub('%S+', '')))
  end)

  test('B1: completion works with no host and does not start one', function(child)
    local c = child({ width = 200 })
    local function complete(line)
      return c:lua("return vim.fn.getcompletion(..., 'cmdline')", line)
    end
    t.eq(complete('BrummerRun '), { 'api', 'build', 'dev', 'worker', '--last' })
    t.eq(complete('BrummerRun dev '), { 'api', 'build', 'worker' })
    t.eq(complete('Brummer run d'), { 'dev' })
    t.eq(complete('Brummer re'), { 'restart' })
    t.eq(complete('BrummerRun dev -- '), {})
    t.eq(complete('Brummer stop '), { '--all', '--leftovers' })
    t.eq(complete('Brummer errors --q'), { '--quickfix' })
    t.eq(c:lua("return require('brummer.host').state()"), 'down')
    c:frame({ rev = 1, procs = { c:row(), c:row({ id = 2, name = 'api', state = 'failed' }) } })
    t.eq(complete('Brummer stop '), { 'dev', '--all', '--leftovers' })
    t.eq(complete('Brummer logs '), { 'dev', 'api', '--previous' })
  end)

  test(
    'B1: completion sees a changed package.json and survives a broken or huge one',
    function(child)
      local c = child({ width = 200 })
      local file = c.project .. '/package.json'
      local function complete()
        return c:lua("return vim.fn.getcompletion('Brummer run b', 'cmdline')")
      end
      t.eq(complete(), { 'build' })
      t.write(file, '{"scripts":{"bench":"x","build":"y"}}')
      t.eq(complete(), { 'bench', 'build' })
      t.write(file, '{"scripts":')
      t.eq(complete(), {})
      t.write(file, '{"scripts":{"b":"' .. ('x'):rep(1024 * 1024) .. '"}}')
      t.eq(complete(), {})
    end
  )

  test('B4: arguments after --, several names, !command, --last', function(child)
    local c = child({ width = 200 })
    c:cmd('BrummerRun dev -- --port 4000')
    t.eq(c:call('run').params, {
      root = c.project,
      names = { 'dev' },
      args = { '--port', '4000' },
    })
    c:cmd('BrummerRun api worker')
    t.eq(c:call('run', 2).params.names, { 'api', 'worker' })
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs'
    end, 'the merged log')
    c:cmd('BrummerRun !cargo watch -x test | tee "a b" # % !')
    t.eq(c:call('run', 3).params, {
      root = c.project,
      command = 'cargo watch -x test | tee "a b" # % !',
    })
    c:cmd('Brummer run --last')
    t.eq(c:call('run', 4).params, c:call('run', 3).params)
    c:cmd('BrummerRun --port')
    c:hears("unknown option '--port'; those of the script come after --")
  end)

  test('B4: words in quotes or with a backslash are one, in names and arguments', function(child)
    local c = child({ width = 200 })
    t.write(c.project .. '/package.json', [[{"scripts":{"my script":"x","dev":"y"}}]])
    local complete = "return vim.fn.getcompletion(..., 'cmdline')"
    t.eq(c:lua(complete, 'BrummerRun my'), { 'my\\ script' })
    t.eq(c:lua(complete, 'BrummerRun my\\ s'), { 'my\\ script' })
    c:cmd([[BrummerRun my\ script -- -t "a b" c\ d it's]])
    t.eq(c:call('run').params.names, { 'my script' })
    t.eq(c:call('run').params.args, { '-t', 'a b', 'c d', "it's" })
    c:frame({
      rev = 1,
      procs = { c:row({ name = 'my script' }), c:row({ id = 2, name = 'ls -l', script = 'ls -l' }) },
    })
    t.eq(c:lua(complete, 'BrummerRun l'), {}, 'a command line is no script')
    c:cmd([[Brummer stop my\ script]])
    t.eq(c:call('stop').params.id, 1)
  end)

  test('B4: a wrong script opens nothing and says why', function(child)
    local c = child({ width = 200 })
    c:cmd('BrummerRun nosuch')
    c:hears("no script 'nosuch' in")
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), 1)
  end)

  test('B4: without a name the scripts are offered', function(child)
    local c = child({ width = 200 })
    c:lua([[
      vim.ui.select = function(items, opts, cb)
        _G.shown = { opts.prompt, opts.format_item(items[1]) }
        cb(items[1])
      end
    ]])
    c:cmd('BrummerRun')
    t.eq(c:call('run').params.names, { 'dev' })
    t.eq(c:lua('return _G.shown'), { 'Run in shop', '  dev  vite' })
  end)

  test('with nothing to run it says what was looked for and how to add it', function(child)
    local c = child({ width = 60, height = 20 })
    c:answers('return { scripts = function() return { scripts = {} } end }')
    c:cmd('BrummerRun')
    t.wait(function()
      return c:screen():find('[scripts.dev]', 1, true)
    end, 'the three lines')
    t.has(c:screen(), 'no script in a package.json, no command in a .brum.toml,')
    t.has(c:screen(), 'no Makefile, Cargo.toml, Procfile or the like.')
    t.ok(not c:mode().blocking)
    c:type('q')
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), 1)
  end)

  test('B4: a long command takes one line in the list of scripts', function(child)
    local c = child()
    c:answers([[return { scripts = function(params)
      local scripts = { { name = 'dev', command = ('long '):rep(60) } }
      return { root = params.dir, project = 'shop', scripts = scripts }
    end }]])
    c:lua([[vim.ui.select = function(items, opts) _G.shown = opts.format_item(items[1]) end]])
    c:cmd('BrummerRun')
    local shown = t.wait(function()
      return c:lua('return _G.shown')
    end, 'the list')
    t.ok(vim.fn.strdisplaywidth(shown) <= 74, shown)
    t.has(shown, 'dev  long')
    t.has(shown, '…')
  end)

  test('a long fault in .brum.toml is cut, where to read it is not', function(child)
    local c = child({ width = 80, files = { ['.brum.toml'] = '' } })
    c:answers([[return { run = function() return { started = {}, problems = {
      '.brum.toml:2: log_store.max_byte: unknown key (did you mean `max_bytes`?)' } } end }]])
    c:lua("require('brummer').run('dev', { open = false })")
    c:hears('brummer: .brum.toml:2: log_store.max_byte:')
    c:hears('… (:Brummer config)')
    t.eq(c:mode().blocking, false)
  end)

  test('a fault in a file of the project is told with the first run, and again when it is another', function(child)
    local c = child({ width = 100 })
    local function broken(line)
      c:answers(([[return { run = function()
        return { started = {}, problems = { '.brum.toml:%d: foo: unknown key', 'Procfile:3: no command' } }
      end }]]):format(line))
    end
    broken(7)
    c:cmd('BrummerRun dev')
    c:hears('brummer: .brum.toml:7: foo: unknown key (1 more: :Brummer config)')
    c:lua('_G.said = {}')
    c:cmd('BrummerRun api')
    c:call('run', 2)
    broken(8)
    c:cmd('BrummerRun worker')
    c:hears('.brum.toml:8: foo: unknown key')
    t.ok(not c:said():find('.brum.toml:7', 1, true), 'once')
  end)

  test('B3: the root is that of the buffer, else of the file, else of the tab', function(child)
    local c = child({ files = { ['src/deep/a.ts'] = 'x' } })
    t.write(c.dir .. '/other/.brum.toml', '')
    t.write(c.dir .. '/other/lib/b.py', 'x')
    local function current()
      return c:lua("return require('brummer.project').current()")
    end
    t.eq(current(), c.project, 'the working directory')
    c:cmd('edit ' .. c.dir .. '/other/lib/b.py')
    t.eq(current(), c.dir .. '/other', 'the file')
    c:cmd('enew')
    c:cmd('lcd ' .. c.dir .. '/other')
    t.eq(current(), c.project, 'the directory of the tab, not of the window')
    c:cmd('tabnew')
    c:cmd('tcd ' .. c.dir .. '/other')
    t.eq(current(), c.dir .. '/other', 'the directory of this tab')
    c:cmd('tabprevious')
    t.eq(current(), c.project)
  end)

  test('B3: a dependency is no project, the user settings are none', function(child)
    local c = child({ files = { ['node_modules/dep/package.json'] = '{}', ['node_modules/dep/i.js'] = 'x' } })
    c:cmd('edit node_modules/dep/i.js')
    t.eq(c:lua("return require('brummer.project').current()"), c.project)
    t.write(c.dir .. '/user/.brum.toml', '')
    t.write(c.dir .. '/user/notes/a.txt', 'x')
    c:lua('vim.env.HOME = ...', c.dir .. '/user')
    t.eq(c:lua("return require('brummer.project').above(...)", c.dir .. '/user/notes'), nil)
    t.write(c.dir .. '/user/package.json', '{}')
    t.eq(
      c:lua("return require('brummer.project').above(...)", c.dir .. '/user/notes'),
      c.dir .. '/user'
    )
  end)

  test('B3: two projects in two tabs, each with dev', function(child)
    local c = child({ width = 200 })
    t.write(c.dir .. '/blog/package.json', '{"scripts":{"dev":"x"}}')
    local first = c:open_log()
    c:cmd('tabnew')
    c:cmd('tcd ' .. c.dir .. '/blog')
    c:cmd('BrummerRun dev')
    t.eq(c:call('run', 2).params.root, c.dir .. '/blog')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/~blog/dev'
    end, 'the log of the second project')
    t.eq(c:call('watch', 2).params.root, c.dir .. '/blog')
    t.ok(c:lua('return vim.api.nvim_get_current_buf()') ~= first)
    c:cmd('Brummer stop')
    t.eq(c:call('stop').params.id, 2)
    c:cmd('tabprevious')
    c:cmd('Brummer stop')
    t.eq(c:call('stop', 2).params.id, 1)
    c:cmd('wincmd k | cd /')
    c:cmd('wincmd j')
    t.eq(
      c:lua("return require('brummer.project').current()"),
      c.project,
      'the log names its project'
    )
  end)

  test(
    'B3: without a name the only running process is meant, else the user is asked',
    function(child)
      local c = child({ width = 200 })
      c:open_log('BrummerRun dev')
      c:cmd('wincmd k')
      c:cmd('Brummer restart')
      t.eq(c:call('restart').params.id, 1)
      c:cmd('BrummerRun! api')
      t.wait(function()
        return #c:lua("return require('brummer').processes()") == 2
      end)
      c:lua([[vim.ui.select = function(items, opts, cb)
      _G.asked = vim.tbl_map(opts.format_item, items)
      cb(items[2])
    end]])
      c:cmd('Brummer stop')
      t.eq(c:call('stop').params.id, 2)
      t.eq(c:lua('return _G.asked'), { 'dev  running', 'api  running' })
      c:cmd('Brummer stop nosuch')
      c:hears('nosuch has not run here')
    end
  )

  test('B3: a project below no package.json is asked of the host', function(child)
    local c = child({ width = 200 })
    vim.fn.mkdir(c.dir .. '/plain')
    c:answers([[return { scripts = function(p) return { root = p.dir, scripts = {} } end }]])
    c:cmd('cd ' .. c.dir .. '/plain')
    c:cmd('BrummerRun make')
    t.eq(c:call('run').params.root, c.dir .. '/plain')
  end)

  test('the plugin sets no global map and loads nothing at start', function(child)
    local c = child({ width = 200 })
    for _, mode in ipairs({ 'n', 'i', 'v', 'o', 'c', 't' }) do
      local maps = c:lua(
        [[return vim.tbl_map(function(map)
          return { map.lhs, map.desc or '' }
        end, vim.api.nvim_get_keymap(...))]],
        mode
      )
      for _, map in ipairs(maps) do
        t.ok(not map[2]:find('^brummer') or map[1]:find('^<Plug>'), map[1])
      end
    end
    t.eq(
      c:lua([[return vim.tbl_filter(function(name)
        return name:find('^brummer') ~= nil
      end, vim.tbl_keys(package.loaded))]]),
      {}
    )
  end)

  test('<Plug> maps exist for all verbs and do what they say', function(child)
    local c = child({ width = 200 })
    local verbs = c:lua("return vim.tbl_keys(require('brummer.actions').verbs)")
    for _, verb in ipairs(verbs) do
      local lhs = ('<Plug>(brummer-%s)'):format(verb:gsub('_', '-'))
      t.ok(
        c:lua("return vim.fn.maparg(..., 'n') ~= '' or vim.fn.mapcheck(..., 'n') ~= ''", lhs),
        lhs
      )
    end
    c:cmd([[execute "normal \<Plug>(brummer-open)"]])
    t.eq(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://')
  end)

  test('toggle closes the views and opens the one seen last', function(child)
    local c = child({ width = 200 })
    c:open_log()
    c:cmd('Brummer toggle')
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), 1)
    c:cmd('Brummer toggle')
    t.eq(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://logs/dev')
  end)
end
