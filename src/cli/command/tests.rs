use super::*;

#[test]
fn the_declaration_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_every_argument_has_help() {
    fn walk(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
        }
        command.get_subcommands().for_each(walk);
    }
    walk(&Cli::command());
}

#[test]
fn each_setting_has_one_variable_one_flag_and_one_default() {
    fn walk(command: &clap::Command, seen: &mut Vec<[String; 3]>) {
        for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
            let default = format!("{:?}", arg.get_default_values());
            let env = arg.get_env().unwrap().to_string_lossy().into_owned();
            seen.push([env, arg.get_long().unwrap().to_owned(), default]);
        }
        command.get_subcommands().for_each(|command| walk(command, seen));
    }
    let mut seen = Vec::new();
    walk(&Cli::command(), &mut seen);
    seen.sort();
    seen.dedup();
    let variables: Vec<&String> = seen.iter().map(|[env, ..]| env).collect();
    assert!(variables.windows(2).all(|pair| pair[0] != pair[1]), "{seen:#?}");
    assert_eq!(settings([&Cli::command()]).len(), seen.len());
}

#[test]
fn the_help_of_a_setting_states_the_bounds_of_its_parser() {
    let mut with_bounds = 0;
    for setting in settings([Cli::command().find_subcommand("serve").unwrap()]) {
        let line = ["avinode-ingest", "serve", &setting.flag, "nonsense"].map(OsString::from);
        // A text or a switch takes anything, or no value.
        let Err(EarlyExit::Wrong(error)) = parse_from(line) else {
            continue;
        };
        let Some((_, bounds)) = error.split_once(" from ") else {
            continue;
        };
        let bounds = bounds.split(" (").next().unwrap();
        assert!(
            setting.help.contains(bounds),
            "{}: {}: {bounds}",
            setting.env,
            setting.help
        );
        with_bounds += 1;
    }
    assert!(with_bounds > 15, "{with_bounds}");
}

#[test]
fn the_demo_takes_its_database_from_its_own_flag_only() {
    let demo = Cli::command().find_subcommand("demo").unwrap().clone();
    let with_variable: Vec<_> = demo.get_arguments().filter_map(clap::Arg::get_env).collect();
    assert_eq!(with_variable, ["INGEST_POSTGRES_BIN"]);
}

#[test]
fn the_demo_logs_warnings_unless_a_level_is_given() {
    let level = |line: &str| {
        let parsed = parse_from(line.split(' ').map(OsString::from));
        parsed.unwrap().log.log_level
    };
    assert_eq!(level("avinode-ingest demo"), demo::LOG_LEVEL);
    assert_eq!(level("avinode-ingest demo --log-level info"), "info");
    assert_eq!(level("avinode-ingest --log-level info demo"), "info");
    assert_eq!(level("avinode-ingest openapi"), "info");
}
