--- What can be run: the list to choose from, completion, names of any kind, sets, several at once.
return function(test, t)
  local LISTING = [[return { scripts = function(params)
    params.dir = params.dir:match('^.*/shop')
    return {
      root = params.dir, project = 'shop', manager = 'pnpm',
      packages = {
        { name = 'api', path = params.dir .. '/packages/api' },
        { name = 'web', path = params.dir .. '/packages/web' },
      },
      scripts = {
        { name = 'lint', kind = 'pnpm', command = 'eslint .', priority = 100 },
        { name = 'dev', kind = 'pnpm', command = 'turbo dev', priority = 100 },
        { name = 'cargo run', kind = 'cargo', command = 'cargo run', priority = 95 },
        { name = 'cargo test', kind = 'cargo', command = 'cargo test', priority = 85 },
        { name = 'procfile worker', kind = 'procfile', command = 'node w.js', priority = 60, bare = 'worker' },
        { name = 'dev', package = 'api', kind = 'pnpm', command = 'tsx watch main.ts', priority = 100 },
        { name = 'build', package = 'web', kind = 'pnpm', command = 'vite build', priority = 100 },
        { name = 'dev', package = 'web', kind = 'pnpm', command = 'vite', priority = 100 },
      },
      sets = { stack = { 'web/dev', 'api/dev' } },
      problems = {},
    }
  end }]]

  local function listed(child, opts)
    local c = child(opts or { width = 100 })
    t.write(c.project .. '/package.json', '{"workspaces":["packages/*"]}')
    c:answers(LISTING)
    return c
  end

  local function complete(c, line)
    return c:lua("return vim.fn.getcompletion(..., 'cmdline')", line)
  end

  test('the list: sets, then the root, then packages, in each the likeliest first', function(child)
    local c = listed(child)
    c:chooses(0)
    c:cmd('BrummerRun')
    t.eq(c:asked(), {
      prompt = 'Run in shop',
      items = {
        '  stack            set       web/dev api/dev',
        '  dev              pnpm      turbo dev',
        '  lint             pnpm      eslint .',
        '  cargo run        cargo',
        '  cargo test       cargo',
        '  procfile worker  procfile  node w.js',
        '  api/dev          pnpm      tsx watch main.ts',
        '  web/dev          pnpm      vite',
        '  web/build        pnpm      vite build',
      },
    })
    t.eq(c:calls('run'), {}, 'nothing was chosen')
  end)

  test('the list: the package of the file at hand comes first, what runs is marked', function(child)
    local c = listed(child)
    t.write(c.project .. '/packages/web/src/a.ts', 'x')
    c:cmd('edit packages/web/src/a.ts')
    c:lua([[require('brummer.host').call('config', { dir = '/' })]])
    c:call('config')
    c:frame({ rev = 1, procs = { c:row({ name = 'web/dev' }) } })
    c:chooses(2)
    c:cmd('BrummerRun')
    local items = c:asked().items
    t.has(items[2], '● web/dev')
    t.has(items[3], '  web/build')
    t.has(items[4], '  dev')
    t.eq(c:call('run').params.names, { 'web/dev' })
  end)

  test('a set that is chosen runs its scripts', function(child)
    local c = listed(child)
    c:chooses(1)
    c:cmd('BrummerRun')
    t.eq(c:call('run').params.names, { 'web/dev', 'api/dev' })
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs'
    end, 'the merged log')
  end)

  test('completion knows what was listed: packages, sets, names with spaces', function(child)
    local c = listed(child)
    c:chooses(0)
    c:cmd('BrummerRun')
    c:asked()
    t.eq(complete(c, 'BrummerRun web/'), { 'web/build', 'web/dev' })
    t.eq(complete(c, 'BrummerRun st'), { 'stack' })
    t.eq(complete(c, 'BrummerRun carg'), { 'cargo\\ run', 'cargo\\ test' })
    t.eq(complete(c, 'BrummerRun cargo\\ t'), { 'cargo\\ test' })
    t.eq(complete(c, 'BrummerRun cargo t'), { 'test' }, 'the second word')
    t.eq(complete(c, 'BrummerRun web/dev cargo r'), { 'run' })
    t.eq(complete(c, 'BrummerRun wor'), { 'procfile\\ worker' }, 'the word it answers to')
    t.ok(not vim.tbl_contains(complete(c, 'BrummerRun web/dev '), 'web/dev'), 'named already')
  end)

  test('completion asks the program in the background when nothing is known', function(child)
    local c = child({ width = 100 })
    local program = c.dir .. '/lister'
    t.write(
      program,
      '#!/bin/sh\ntest "$1 $2" = "scripts --json" && echo \'{"root":"\'"$PWD"\'","scripts":[{"name":"make all"}],"sets":{}}\'\n'
    )
    vim.uv.fs_chmod(program, 493)
    c:lua("vim.g.brummer = { binary = ... }", program)
    t.eq(complete(c, 'BrummerRun m'), {})
    t.wait(function()
      return vim.deep_equal(complete(c, 'BrummerRun m'), { 'make\\ all' })
    end, 'the name')
    t.eq(c:lua("return require('brummer.host').state()"), 'down')
  end)

  test('completion reads the names in .brum.toml itself', function(child)
    local c = child({
      width = 100,
      files = {
        ['.brum.toml'] = '[scripts.zeta]\ncommand = "x"\n[scripts."z two".env]\nA = "1"\n[sets]\nzoo = ["dev"]\n"z#3" = []\n',
      },
    })
    t.eq(complete(c, 'BrummerRun z'), { 'zeta', 'z\\ two', 'zoo', 'z#3' })
  end)

  test('several words are one name where it is known', function(child)
    local c = listed(child)
    c:chooses(0)
    c:cmd('BrummerRun')
    c:asked()
    c:cmd('BrummerRun cargo run web/dev -- --release')
    t.eq(c:call('run').params.names, { 'cargo run', 'web/dev' })
    c:cmd([[BrummerRun cargo\ test]])
    t.eq(c:call('run', 2).params.names, { 'cargo test' })
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/cargo test'
    end, 'its log')
    c:cmd('Brummer stop cargo test')
    t.eq(c:call('stop').params.id, 3)
    c:cmd('Brummer logs cargo run')
    t.eq(c:lua('return vim.api.nvim_buf_get_name(0)'), 'brummer://logs/cargo run')
  end)

  test('a script named like a subcommand, with #, %, spaces, quotes, unicode', function(child)
    local names = { 'stop', 'a#b', '100%', 'dev ♥ über', 'it\'s "x"', '!bang', '~tilde', 'a|b', '[id]' }
    local c = child({ width = 100 })
    t.write(
      c.project .. '/package.json',
      vim.json.encode({
        scripts = (function()
          local all = {}
          for _, name in ipairs(names) do
            all[name] = 'x'
          end
          return all
        end)(),
      })
    )
    for i, name in ipairs(names) do
      local lead = vim.fn.strcharpart(name, 0, 2)
      local typed = complete(c, 'BrummerRun ' .. (lead:gsub('^!', '\\!')))[1]
      t.ok(typed, name)
      c:cmd('BrummerRun ' .. typed)
      t.eq(c:call('run', i).params.names, { name })
      t.wait(function()
        return c:lua("return (require('brummer.ui.view').get(0) or {}).script") == name
      end, 'the log of ' .. name)
      t.eq(c:call('watch', 2 * i - 1).params.name, name)
      t.wait(function()
        return c:screen():find('● ' .. name, 1, true)
      end, 'its winbar')
      c:cmd('edit')
      c:call('watch', 2 * i)
      t.eq(c:lua("return require('brummer.ui.view').get(0).script"), name, 'after :edit')
    end
    c:cmd('Brummer stop stop')
    t.eq(c:call('stop').params.id, 1)
    t.wait(function()
      return c:lua("return require('brummer').statusline()") == '● 8'
    end, 'the end')
    c:cmd('Brummer')
    c:cmd('only')
    for _, name in ipairs(names) do
      t.has(c:screen(), name)
    end
  end)

  test('such names come through a session', function(child)
    local names = { 'a#b', '100%', 'dev ♥ über', 'it\'s "x"', '[id]', 'web/dev' }
    for _, name in ipairs(names) do
      local c = child({ width = 100 })
      c:lua("require('brummer').run(...)", name)
      c:call('watch')
      local file = c.dir .. '/Session.vim'
      c:cmd('mksession ' .. file)
      local other = child({ width = 100 })
      other:cmd('silent source ' .. file)
      t.eq(other:call('previous').params.name, name)
    end
  end)

  test('of a script that was found by a word, the log is opened; not that of its dependency', function(child)
    local c = child({ width = 100 })
    c:answers([[return { run = function(params, host)
      local db, web = host.row(params.root, 'db'), host.row(params.root, 'procfile web')
      db.state, web.state = 'running', 'pending'
      host.send({ procs = { db, web } })
      return {
        started = { { id = web.id, name = 'procfile web', state = 'started' } },
        before = { { id = db.id, name = 'db', state = 'running' } },
      }
    end }]])
    c:cmd('BrummerRun web')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/procfile web'
    end, 'its log')
    t.ok(not c:said():find('already', 1, true), c:said())
    c:cmd('Brummer stop web')
    t.eq(c:call('stop').params.id, 2)
    t.eq(c:lua("return require('brummer').status('web').name"), 'procfile web')
  end)

  test('--last repeats several, with their arguments, and the choice to run another', function(child)
    local c = child({ width = 100 })
    c:cmd('BrummerRun dev api -- -v')
    c:call('run')
    c:cmd('Brummer run --last')
    t.eq(c:call('run', 2).params, { root = c.project, names = { 'dev', 'api' }, args = { '-v' } })
  end)

  test('stop --all is about the project, with ! about all; several names are several', function(child)
    local c = child({ width = 100 })
    c:cmd('BrummerRun dev api worker')
    t.wait(function()
      return #c:lua("return require('brummer').processes()") == 3
    end)
    c:cmd('Brummer stop dev api')
    t.eq({ c:call('stop').params.id, c:call('stop', 2).params.id }, { 1, 2 })
    c:frame({ rev = 9, procs = { c:row({ id = 9, root = '/tmp/blog' }) } })
    c:cmd('Brummer stop --all')
    t.eq(c:call('stop_all').params, { root = c.project })
    c:hears('1 in other projects go on; :Brummer! stop --all stops all')
    c:cmd('Brummer! stop --all')
    t.eq(c:call('stop_all', 2).params.root, nil)
    c:frame({ rev = 9, procs = { c:row({ id = 9, root = '/tmp/blog', state = 'stopped' }) } })
    c:cmd('Brummer stop --all')
    c:hears('nothing runs here')
    t.eq(#c:calls('stop_all'), 2)
  end)

  test('a project is found by any of its files; a package of a workspace is told by the host', function(child)
    local c = child({ width = 100 })
    local function current(path)
      c:cmd('edit ' .. c.dir .. '/' .. path)
      return (c:lua("return require('brummer.project').current()") or ''):sub(#c.dir + 2)
    end
    for _, file in ipairs({ 'Cargo.toml', 'go.mod', 'Procfile', 'app.csproj', '.vscode/tasks.json' }) do
      local dir = file:gsub('%W', '')
      t.write(c.dir .. '/' .. dir .. '/' .. file, '')
      t.write(c.dir .. '/' .. dir .. '/deep/er/x.txt', '')
      t.eq(current(dir .. '/deep/er/x.txt'), dir, file)
    end
    t.write(c.dir .. '/py/pyproject.toml', '')
    t.write(c.dir .. '/py/docs/Makefile', '')
    t.write(c.dir .. '/py/docs/x.txt', '')
    t.eq(current('py/docs/x.txt'), 'py', 'a Makefile in a part of it')
    t.write(c.dir .. '/c/Makefile', '')
    t.write(c.dir .. '/c/src/x.c', '')
    t.eq(current('c/src/x.c'), 'c', 'a Makefile alone')
    t.write(c.dir .. '/mono/package.json', '{"workspaces":["packages/*"]}')
    t.write(c.dir .. '/mono/packages/web/package.json', '{}')
    t.write(c.dir .. '/mono/packages/web/a.ts', '')
    t.write(c.dir .. '/mono/odd/package.json', '{}')
    t.write(c.dir .. '/mono/odd/a.ts', '')
    c:answers([[return { scripts = function(params)
      local odd = params.dir:find('/odd$')
      return { root = odd and params.dir or params.dir:match('^.*/mono'), scripts = {}, packages = {} }
    end }]])
    t.eq(current('mono/packages/web/a.ts'), 'mono')
    c:cmd('BrummerRun dev')
    local params = c:call('run').params
    t.eq({ params.root, params.dir }, { c.dir .. '/mono', c.dir .. '/mono/packages/web' })
    c:cmd('wincmd k')
    t.eq(current('mono/odd/a.ts'), 'mono', 'as it looks')
    c:cmd('BrummerRun dev')
    t.eq(c:call('run', 2).params.root, c.dir .. '/mono/odd', 'as the host says')
    c:cmd('wincmd k')
    t.eq(current('mono/odd/a.ts'), 'mono/odd', 'and is remembered')
  end)

  test('in a package its own script is meant', function(child)
    local c = listed(child)
    t.write(c.project .. '/packages/api/src/a.ts', 'x')
    c:cmd('edit packages/api/src/a.ts')
    c:chooses(0)
    c:cmd('BrummerRun')
    c:asked()
    c:frame({ rev = 1, procs = { c:row({ name = 'web/dev' }), c:row({ id = 2, name = 'api/dev' }) } })
    c:cmd('Brummer stop dev')
    t.eq(c:call('stop').params.id, 2)
  end)
end
