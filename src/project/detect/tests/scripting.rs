//! Python, Ruby, PHP, Elixir, Dart.

use expect_test::expect;

use super::check;

#[test]
fn python_without_a_manager() {
    let files = [
        ("requirements.txt", "Flask==3.0 # the server\n# uvicorn\npytest\n"),
        ("app.py", "from flask import Flask\n\napp = Flask(__name__)\n"),
        ("main.py", ""),
        ("venv/bin/python", "#!"),
    ];
    check(
        &files,
        expect![[r#"
             94 python -m flask --app app run --debug = venv/bin/python -m flask --app app run --debug  app.py:3  (run, background)
             90 python main.py = venv/bin/python main.py  main.py:1  (run)
             85 python -m pytest = venv/bin/python -m pytest  requirements.txt:1  (test)
             80 python -m pip install -r requirements.txt = venv/bin/python -m pip install -r requirements.txt  requirements.txt:1
        "#]],
    );
    let files = [
        ("setup.py", "setup(install_requires=['fastapi', 'uvicorn[standard]'])"),
        ("app/main.py", "import fastapi\nshop: fastapi.FastAPI = fastapi.FastAPI(\n"),
        ("tests/test_a.py", ""),
        ("tox.ini", ""),
    ];
    check(
        &files,
        expect![[r#"
             94 python -m uvicorn app.main:shop --reload = python3 -m uvicorn app.main:shop --reload  app/main.py:2  (run, background)
             84 python -m unittest = python3 -m unittest  setup.py:1  (test)
             83 tox  tox.ini:1  (test)
             80 python -m pip install -e . = python3 -m pip install -e .  setup.py:1
        "#]],
    );
    // Named, but not by a whole word: nothing is sure.
    let files = [("requirements.txt", "flask-login\n"), ("app.py", "app = Flask(__name__)\n")];
    check(
        &files,
        expect![[r#"
             80 python -m pip install -r requirements.txt = python3 -m pip install -r requirements.txt  requirements.txt:1
        "#]],
    );
}

#[test]
fn django() {
    let manage = "#!/usr/bin/env python\nimport os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')\n";
    check(
        &[("manage.py", manage), (".venv/bin/python", "#!")],
        expect![[r#"
             95 python manage.py runserver = .venv/bin/python manage.py runserver  manage.py:1  (run, background)
             86 python manage.py test = .venv/bin/python manage.py test  manage.py:1  (test)
             82 python manage.py migrate = .venv/bin/python manage.py migrate  manage.py:1
        "#]],
    );
    check(
        &[("manage.py", "print('something else')")],
        expect![[r#"
            nothing
        "#]],
    );
}

#[test]
fn pyproject() {
    let project = "[project]\nname = \"shop\"\ndependencies = [\"fastapi[standard]>=0.115\"]\n\n[project.scripts]\nshop = \"shop.cli:main\"\nshop-dev = \"shop.dev:main\"\n\n[tool.poe.tasks]\n_private = \"x\"\nlint.cmd = \"ruff check\"\nlint.help = \"Look for mistakes\"\n\n[tool.pytest.ini_options]\n";
    let files = [("pyproject.toml", project), ("uv.lock", ""), ("main.py", "app = FastAPI()\n")];
    check(
        &files,
        expect![[r#"
             94 uv run fastapi dev main.py  main.py:1  (run, background)
             93 uv run shop  pyproject.toml:6  (bare shop, "shop.cli:main")
             97 uv run shop-dev  pyproject.toml:7  (run, background, bare shop-dev, "shop.dev:main")
             88 uv run poe lint  pyproject.toml:11  (bare lint, "Look for mistakes")
             90 python main.py = uv run python main.py  main.py:1  (run)
             85 python -m pytest = uv run python -m pytest  pyproject.toml:1  (test)
             80 uv sync  pyproject.toml:1
        "#]],
    );
    let files = [("pyproject.toml", project), (".venv/bin/python", "#!"), (".venv/bin/shop", "#!")];
    check(
        &files,
        expect![[r#"
             93 shop = .venv/bin/shop  pyproject.toml:6  (bare shop, "shop.cli:main")
             97 shop-dev  pyproject.toml:7  (run, background, bare shop-dev, "shop.dev:main")
             88 poe lint  pyproject.toml:11  (bare lint, "Look for mistakes")
             85 python -m pytest = .venv/bin/python -m pytest  pyproject.toml:1  (test)
             80 python -m pip install -e . = .venv/bin/python -m pip install -e .  pyproject.toml:1
        "#]],
    );
    let poetry = "[tool.poetry]\nname = \"x\"\n[tool.poetry.scripts]\nserve = \"x:y\"\n";
    check(
        &[("pyproject.toml", poetry)],
        expect![[r#"
             97 poetry run serve  pyproject.toml:4  (run, background, bare serve, "x:y")
             80 poetry install  pyproject.toml:1
        "#]],
    );
    let pdm = "[tool.pdm.scripts]\nstart = {cmd = \"flask run\", env_file = \".env\"}\n_.env_file = \".env\"\ntest = \"pytest\"\n";
    check(
        &[("pyproject.toml", pdm)],
        expect![[r#"
             92 pdm run start  pyproject.toml:2  (run, background, bare start, "flask run")
             92 pdm run test  pyproject.toml:4  (test, bare test, "pytest")
             85 python -m pytest = pdm run python -m pytest  pyproject.toml:1  (test)
             80 pdm install  pyproject.toml:1
        "#]],
    );
    let hatch = "[tool.hatch.envs.default.scripts]\nserve = \"x\"\n[tool.hatch.envs.docs.scripts]\nbuild = [\"a\", \"b\"]\n";
    check(
        &[("pyproject.toml", hatch)],
        expect![[r#"
             96 hatch run serve  pyproject.toml:2  (run, background, bare serve, "x")
             92 hatch run docs:build  pyproject.toml:4  (build, bare docs:build)
        "#]],
    );
    check(
        &[("Pipfile", "[packages]\nflask = \"*\"\n[scripts]\nweb = \"flask run\"\n")],
        expect![[r#"
             88 pipenv run web  Pipfile:4  (bare web, "flask run")
             80 pipenv install  Pipfile:1
        "#]],
    );
    check(
        &[("pyproject.toml", "[project\n")],
        expect![[r#"
        problem pyproject.toml:1: unclosed table, expected `]`: correct the TOML there
    "#]],
    );
}

#[test]
fn ruby() {
    let rake = "\
require_relative 'config/application'
task default: :test
desc 'Say hello'
task :hello, [:name] => :environment do |t, args|
  task :not_me
end
namespace :db do
  desc \"Fill it\"
  task seed: [:environment] do
    if true
    end
  end
  namespace :test do
    desc 'Deep'
    task('prepare') { }
  end
end
desc 'Last'
multitask 'all' => %w[a b]
task :undescribed
";
    let files = [
        ("Gemfile", "source 'https://rubygems.org'\ngem \"rails\", '~> 8.0'\ngem('rspec-rails')\n"),
        ("Rakefile", rake),
        ("lib/tasks/x.rake", "desc 'X'\ntask :x\n"),
        ("bin/rails", "#!"),
        ("bin/dev", "#!"),
        ("test/", ""),
    ];
    check(
        &files,
        expect![[r#"
             97 bin/dev  bin/dev:1  (run, background, bare dev)
             95 rails server = bin/rails server  Gemfile:2  (run, background)
             86 rails test = bin/rails test  Gemfile:2  (test)
             82 rails db:migrate = bin/rails db:migrate  Gemfile:2
             80 bundle install  Gemfile:1
             84 rake hello = bundle exec rake hello  Rakefile:4  (bare hello, "Say hello")
             84 rake db:seed = bundle exec rake db:seed  Rakefile:9  (bare db:seed, "Fill it")
             84 rake db:test:prepare = bundle exec rake db:test:prepare  Rakefile:15  (bare db:test:prepare, "Deep")
             84 rake all = bundle exec rake all  Rakefile:19  (bare all, "Last")
             84 rake x = bundle exec rake x  lib/tasks/x.rake:2  (bare x, "X")
        "#]],
    );
    let files = [("Gemfile", "gem 'sinatra'\n# gem 'rails'\n"), ("config.ru", ""), (".rspec", "")];
    check(
        &files,
        expect![[r#"
             93 rackup = bundle exec rackup  config.ru:1  (run, background)
             85 rspec = bundle exec rspec  Gemfile:1  (test)
             80 bundle install  Gemfile:1
        "#]],
    );
    let files = [("Gemfile", "gem 'rails'\n"), ("config/application.rb", ""), ("Rakefile", "")];
    check(
        &files,
        expect![[r#"
             95 rails server = bundle exec rails server  Gemfile:1  (run, background)
             82 rails db:migrate = bundle exec rails db:migrate  Gemfile:1
             80 bundle install  Gemfile:1
        "#]],
    );
    check(
        &[("Rakefile", "desc 'A'\ntask :a\n"), ("Gemfile", "gem 'jekyll'\n")],
        expect![[r#"
             95 jekyll serve = bundle exec jekyll serve  Gemfile:1  (run, background)
             80 bundle install  Gemfile:1
             84 rake a = bundle exec rake a  Rakefile:2  (bare a, "A")
        "#]],
    );
}

#[test]
fn php() {
    let composer = r#"{
  "require": { "laravel/framework": "^12" },
  "require-dev": { "phpunit/phpunit": "^11" },
  "scripts": {
    "post-autoload-dump": ["x"],
    "dev": ["Composer\\Config::disableProcessTimeout", "npx concurrently"],
    "lint": "pint"
  },
  "scripts-descriptions": { "dev": "Everything at once" }
}"#;
    check(
        &[("composer.json", composer), ("artisan", "#!/usr/bin/env php\n")],
        expect![[r#"
             95 php artisan serve  artisan:1  (run, background)
             86 php artisan test  artisan:1  (test)
             82 php artisan migrate  artisan:1
             85 vendor/bin/phpunit  composer.json:3  (test)
             80 composer install  composer.json:1
             94 composer run dev  composer.json:6  (run, background, bare dev, "Everything at once")
             86 composer run lint  composer.json:7  (bare lint, "pint")
        "#]],
    );
    let symfony =
        r#"{ "require": { "symfony/framework-bundle": "7" }, "require-dev": { "pestphp/pest": "3" } }"#;
    check(
        &[("composer.json", symfony), ("public/index.php", "")],
        expect![[r#"
             93 php -S localhost:8000 -t public  composer.json:1  (run, background)
             85 vendor/bin/pest  composer.json:1  (test)
             80 composer install  composer.json:1
        "#]],
    );
    check(
        &[("composer.json", "{\n \"a\": 1\n \"b\": 2 }")],
        expect![[r#"
            80 composer install  composer.json:1
            problem composer.json:2: expected comma: correct the JSON there
        "#]],
    );
}

#[test]
fn elixir() {
    let mix = r#"
defmodule Shop.MixProject do
  def application do
    [mod: {Shop.Application, []}]
  end
  defp deps do
    [
      {:phoenix, "~> 1.7"}
    ]
  end

  # Aliases are shortcuts.
  defp aliases do
    [
      setup: ["deps.get", "ecto.setup"],
      "ecto.setup": [
        "ecto.create",
        inner: "no"
      ], # "comment": ]
      test: ["ecto.create --quiet", "test"],
      dev: fn _ -> run() end
    ]
  end
  defp other, do: [no: 1]
end
"#;
    check(
        &[("mix.exs", mix)],
        expect![[r#"
             95 mix phx.server  mix.exs:8  (run, background)
             90 mix compile  mix.exs:1  (build)
             85 mix test  mix.exs:1  (test)
             80 mix deps.get  mix.exs:1
             82 mix setup  mix.exs:15  (bare setup)
             82 mix ecto.setup  mix.exs:16  (bare ecto.setup)
             90 mix dev  mix.exs:21  (run, background, bare dev)
        "#]],
    );
    check(
        &[("mix.exs", "def application do\n [mod: {A, []}]\nend\ndefp aliases do\n  [a: 1]\nend\n")],
        expect![[r#"
             93 mix run --no-halt  mix.exs:2  (run, background)
             90 mix compile  mix.exs:1  (build)
             85 mix test  mix.exs:1  (test)
             80 mix deps.get  mix.exs:1
             82 mix a  mix.exs:5  (bare a)
        "#]],
    );
    let files = [
        ("mix.exs", "def project do\n [apps_path: \"apps\"]\nend\n"),
        ("apps/web/mix.exs", "{:phoenix, \"1\"}"),
        ("apps/core/mix.exs", ""),
        ("apps/README.md", ""),
    ];
    check(
        &files,
        expect![[r#"
            85 core/mix test  apps/core/mix.exs:1  (test, in apps/core)
            85 web/mix test  apps/web/mix.exs:1  (test, in apps/web)
            95 mix phx.server  mix.exs:2  (run, background)
            90 mix compile  mix.exs:1  (build)
            85 mix test  mix.exs:1  (test)
            80 mix deps.get  mix.exs:1
            package core apps/core
            package web apps/web
        "#]],
    );
}

#[test]
fn dart() {
    let flutter =
        "name: shop\ndependencies:\n  flutter:\n    sdk: flutter\ndev_dependencies:\n  build_runner: any\n";
    check(
        &[("pubspec.yaml", flutter), ("android/", ""), ("web/", ""), ("test/", "")],
        expect![[r#"
             95 flutter run  pubspec.yaml:1  (run, background)
             88 flutter build apk  pubspec.yaml:1  (build)
             88 flutter build web  pubspec.yaml:1  (build)
             85 flutter test  pubspec.yaml:1  (test)
             84 dart run build_runner watch  pubspec.yaml:1  (run, background)
             80 flutter pub get  pubspec.yaml:1
        "#]],
    );
    let files = [
        ("pubspec.yaml", "name: tool\nmelos:\n  scripts:\n    lint: dart analyze\n"),
        ("bin/tool.dart", ""),
        ("bin/other.dart", ""),
    ];
    check(
        &files,
        expect![[r#"
             93 dart run bin/other.dart  pubspec.yaml:1  (run)
             95 dart run  pubspec.yaml:1  (run)
             80 dart pub get  pubspec.yaml:1
             84 melos run lint  pubspec.yaml:4  (bare lint, "dart analyze")
        "#]],
    );
    let files = [
        ("pubspec.yaml", "name: all\n"),
        ("melos.yaml", "scripts:\n  test:\n    description: Test all\n    run: x\n"),
    ];
    check(
        &files,
        expect![[r#"
             80 dart pub get  pubspec.yaml:1
             88 melos run test  melos.yaml:2  (test, bare test, "Test all")
        "#]],
    );
}
