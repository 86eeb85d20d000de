import PackagePlugin

@main
struct Provision: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {}
}
