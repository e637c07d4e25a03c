// Opens the models of the page and starts its parts.
"use strict";

async function start() {
  const data = (name) => JSON.parse(document.getElementById(name).textContent);
  const write = document.getElementById("write-here"), steps = document.getElementById("steps-here");
  fill(write, "Opening the model …");
  try {
    const page = data("page-data"), table = await Table.read(data("model-data")), example = await Table.read(data("example-data"));
    window.markov = { table, generate, readPrompt, tokensOf, ready: false };
    const lesson = make("div"), sentence = make("div");
    fill(steps, lesson, sentence);
    new Writer(write, table, page);
    new Example(lesson, example, page.example);
    new Sentence(sentence, table, page);
    window.markov.ready = true;
  } catch (error) {
    const old = typeof DecompressionStream === "undefined";
    fill(write, old ? "This browser is too old to open the model: one of 2023 or later can." : `The model in this page cannot be opened: ${error.message}`);
    throw error;
  }
}

start();
