// Runs in the browser. Addresses are relative to the page, so that the API may be served below a path.
const { React, ReactDOM, GraphiQL } = globalThis;
const examples = await (await fetch('graphiql/examples.json')).json();

ReactDOM.createRoot(document.getElementById('editor')).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: 'graphql' }),
    defaultTabs: examples,
    // A token that somebody pasted is gone with the page.
    shouldPersistHeaders: false,
  }),
);
