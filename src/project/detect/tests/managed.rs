//! The JVM and .NET.

use expect_test::expect;

use super::check;

#[test]
fn gradle_with_groovy() {
    let build = r#"
plugins {
    id 'java'
    id 'org.springframework.boot' version '3.4.0' // the server
    id "io.quarkus" apply false
    // id 'application'
    /* id 'io.ktor.plugin'
    */
}
def url = "http://x" // id 'application'
task seedDb(type: JavaExec) { }
task ('quoted') { }
tasks.register('devServer', Exec) { }
"#;
    let files = [("build.gradle", build), ("gradlew", "#!/bin/sh\n")];
    check(
        &files,
        expect![[r#"
             93 gradle bootRun = ./gradlew bootRun  build.gradle:4  (run, background)
             80 gradle seedDb = ./gradlew seedDb  build.gradle:11  (bare seedDb)
             80 gradle quoted = ./gradlew quoted  build.gradle:12  (bare quoted)
             88 gradle devServer = ./gradlew devServer  build.gradle:13  (run, background, bare devServer)
             90 gradle build = ./gradlew build  build.gradle:1  (build)
             85 gradle test = ./gradlew test  build.gradle:1  (test)
        "#]],
    );
    check(
        &[("build.gradle", "apply plugin: 'application'\n"), ("gradlew", "not executable")],
        expect![[r#"
             95 gradle run = sh ./gradlew run  build.gradle:1  (run)
             90 gradle build = sh ./gradlew build  build.gradle:1  (build)
             85 gradle test = sh ./gradlew test  build.gradle:1  (test)
        "#]],
    );
}

#[test]
fn gradle_with_kotlin_and_projects() {
    let files = [
        (
            "settings.gradle.kts",
            "rootProject.name = \"shop\"\ninclude(\":app\", \":libs:core\")\ninclude(\n  \":gone\",\n  \":web\",\n)\n// include(\":no\")\n",
        ),
        ("build.gradle.kts", "plugins {\n  alias(libs.plugins.spring.boot) apply false\n}\n"),
        (
            "gradle/libs.versions.toml",
            "[plugins]\nspring-boot = { id = \"org.springframework.boot\", version = \"3\" }\n",
        ),
        ("app/build.gradle.kts", "plugins { application }\n"),
        ("libs/core/build.gradle.kts", "plugins { `java-library` }\nval generate by tasks.registering {}\n"),
        (
            "web/build.gradle.kts",
            "plugins {\n  alias(libs.plugins.spring.boot)\n}\ntasks.register<JavaExec>(\"seed\") {}\n",
        ),
    ];
    check(
        &files,
        expect![[r#"
            90 gradle build  build.gradle.kts:1  (build)
            85 gradle test  build.gradle.kts:1  (test)
            95 app/gradle run = gradle :app:run  app/build.gradle.kts:1  (run)
            90 app/gradle build = gradle :app:build  app/build.gradle.kts:1  (build)
            85 app/gradle test = gradle :app:test  app/build.gradle.kts:1  (test)
            80 core/gradle generate = gradle :libs:core:generate  libs/core/build.gradle.kts:2
            90 core/gradle build = gradle :libs:core:build  libs/core/build.gradle.kts:1  (build)
            85 core/gradle test = gradle :libs:core:test  libs/core/build.gradle.kts:1  (test)
            93 web/gradle bootRun = gradle :web:bootRun  web/build.gradle.kts:2  (run, background)
            80 web/gradle seed = gradle :web:seed  web/build.gradle.kts:4
            90 web/gradle build = gradle :web:build  web/build.gradle.kts:1  (build)
            85 web/gradle test = gradle :web:test  web/build.gradle.kts:1  (test)
            package app app
            package core libs/core
            package web web
        "#]],
    );
}

#[test]
fn maven() {
    let plugin = "<build><plugins>\n<!-- <artifactId>jetty-maven-plugin</artifactId> -->\n<plugin>\n<artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>";
    let one = format!("<?xml version=\"1.0\"?>\n<project xmlns=\"x\">\n{plugin}\n</project>");
    check(
        &[("pom.xml", &one), ("mvnw", "#!/bin/sh\n")],
        expect![[r#"
             95 mvn spring-boot:run = ./mvnw spring-boot:run  pom.xml:6  (run, background)
             90 mvn compile = ./mvnw compile  pom.xml:2  (build)
             88 mvn package = ./mvnw package  pom.xml:2  (build)
             85 mvn test = ./mvnw test  pom.xml:2  (test)
        "#]],
    );
    let parent = "<project>\n<packaging>pom</packaging>\n<modules>\n  <module>api</module>\n  <module>libs/core</module>\n  <module>gone</module>\n</modules>\n<build><pluginManagement><plugins><plugin><artifactId>quarkus-maven-plugin</artifactId></plugin></plugins></pluginManagement></build>\n</project>";
    let files = [
        ("pom.xml", parent),
        ("api/pom.xml", one.as_str()),
        ("libs/core/pom.xml", "<project><artifactId>core</artifactId></project>"),
    ];
    check(
        &files,
        expect![[r#"
            90 mvn compile  pom.xml:1  (build)
            88 mvn package  pom.xml:1  (build)
            85 mvn test  pom.xml:1  (test)
            95 api/mvn spring-boot:run = mvn -pl api spring-boot:run  api/pom.xml:6  (run, background)
            90 api/mvn compile = mvn -pl api -am compile  api/pom.xml:2  (build)
            88 api/mvn package = mvn -pl api -am package  api/pom.xml:2  (build)
            85 api/mvn test = mvn -pl api -am test  api/pom.xml:2  (test)
            90 core/mvn compile = mvn -pl libs/core -am compile  libs/core/pom.xml:1  (build)
            88 core/mvn package = mvn -pl libs/core -am package  libs/core/pom.xml:1  (build)
            85 core/mvn test = mvn -pl libs/core -am test  libs/core/pom.xml:1  (test)
            package api api
            package core libs/core
        "#]],
    );
    check(
        &[("pom.xml", "<project><build")],
        expect![[r#"
             90 mvn compile  pom.xml:1  (build)
             88 mvn package  pom.xml:1  (build)
             85 mvn test  pom.xml:1  (test)
        "#]],
    );
}

const WEB: &str = "<Project Sdk=\"Microsoft.NET.Sdk.Web\">\n</Project>";

#[test]
fn dotnet_with_one_project() {
    let profiles = r#"{
  // for development
  "profiles": {
    "http": { "commandName": "Project", "applicationUrl": "http://localhost:5000" },
    "IIS Express": { "commandName": "IISExpress" },
    "two words": { "commandName": "Project" },
  }
}"#;
    check(
        &[("Shop.csproj", WEB), ("Properties/launchSettings.json", profiles)],
        expect![[r#"
             95 dotnet run  Shop.csproj:1  (run, background)
             93 dotnet watch run  Shop.csproj:1  (run, background)
             92 dotnet run --launch-profile http  Properties/launchSettings.json:4  (run, background, bare http)
             92 dotnet run --launch-profile two words = dotnet run --launch-profile 'two words'  Properties/launchSettings.json:6  (run, background, bare two words)
             90 dotnet build  Shop.csproj:1  (build)
             85 dotnet test  Shop.csproj:1  (test)
        "#]],
    );
    let library = "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>";
    check(
        &[("Lib.fsproj", library)],
        expect![[r#"
             90 dotnet build  Lib.fsproj:1  (build)
             85 dotnet test  Lib.fsproj:1  (test)
        "#]],
    );
    let program = "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup></Project>";
    check(
        &[("Tool.vbproj", program), ("Tool.sln", "")],
        expect![[r#"
             95 dotnet run = dotnet run --project Tool.vbproj  Tool.vbproj:1  (run)
             93 dotnet watch run = dotnet watch run --project Tool.vbproj  Tool.vbproj:1  (run, background)
             90 dotnet build = dotnet build Tool.sln  Tool.sln:1  (build)
             85 dotnet test = dotnet test Tool.sln  Tool.sln:1  (test)
        "#]],
    );
}

#[test]
fn dotnet_solutions() {
    let tests = "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup><ItemGroup><PackageReference Include=\"Microsoft.NET.Test.Sdk\" /></ItemGroup></Project>";
    let sln = "\u{feff}\nMicrosoft Visual Studio Solution File\nProject(\"{FAE0}\") = \"Web\", \"src\\Web\\Web.csproj\", \"{1}\"\nEndProject\nProject(\"{2150}\") = \"src\", \"src\", \"{2}\"\nEndProject\nProject(\"{FAE0}\") = \"Web.Tests\", \"test\\Web.Tests\\Web.Tests.csproj\", \"{3}\"\nEndProject\nProject(\"{FAE0}\") = \"Gone\", \"gone\\Gone.csproj\", \"{4}\"\n";
    let files = [("Shop.sln", sln), ("src/Web/Web.csproj", WEB), ("test/Web.Tests/Web.Tests.csproj", tests)];
    check(
        &files,
        expect![[r#"
            90 dotnet build  Shop.sln:1  (build)
            85 dotnet test  Shop.sln:1  (test)
            95 Web/dotnet run = dotnet run --project src/Web/Web.csproj  src/Web/Web.csproj:1  (run, background)
            93 Web/dotnet watch run = dotnet watch run --project src/Web/Web.csproj  src/Web/Web.csproj:1  (run, background)
            90 Web/dotnet build = dotnet build src/Web/Web.csproj  src/Web/Web.csproj:1  (build)
            90 Web.Tests/dotnet build = dotnet build test/Web.Tests/Web.Tests.csproj  test/Web.Tests/Web.Tests.csproj:1  (build)
            85 Web.Tests/dotnet test = dotnet test test/Web.Tests/Web.Tests.csproj  test/Web.Tests/Web.Tests.csproj:1  (test)
            package Web src/Web
            package Web.Tests test/Web.Tests
        "#]],
    );
    let slnx = "<Solution>\n  <Folder Name=\"/src/\">\n    <Project Path=\"src/Web/Web.csproj\" />\n  </Folder>\n</Solution>";
    check(
        &[("Shop.slnx", slnx), ("src/Web/Web.csproj", WEB)],
        expect![[r#"
            90 dotnet build  Shop.slnx:1  (build)
            85 dotnet test  Shop.slnx:1  (test)
            95 Web/dotnet run = dotnet run --project src/Web/Web.csproj  src/Web/Web.csproj:1  (run, background)
            93 Web/dotnet watch run = dotnet watch run --project src/Web/Web.csproj  src/Web/Web.csproj:1  (run, background)
            90 Web/dotnet build = dotnet build src/Web/Web.csproj  src/Web/Web.csproj:1  (build)
            package Web src/Web
        "#]],
    );
    check(
        &[("A.csproj", WEB), ("B.csproj", WEB)],
        expect![[r#"
             95 dotnet run --project A.csproj  A.csproj:1  (run, background)
             93 dotnet watch run --project A.csproj  A.csproj:1  (run, background)
             90 dotnet build A.csproj  A.csproj:1  (build)
             95 dotnet run --project B.csproj  B.csproj:1  (run, background)
             93 dotnet watch run --project B.csproj  B.csproj:1  (run, background)
             90 dotnet build B.csproj  B.csproj:1  (build)
        "#]],
    );
}
